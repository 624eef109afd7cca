import SennitReference
import SennitWire
import Testing

@testable import SennitDocument

/// Under this trait a `FollowedDocument` is checked inside after each change, not only from
/// outside.
struct InternalChecks: SuiteTrait, TestTrait, TestScoping {
    @TaskLocal static var areOn = false

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        try await InternalChecks.$areOn.withValue(true) { try await function() }
    }
}

extension Trait where Self == InternalChecks {
    /// Checks the invariants of every structure after each change.
    static var internalChecks: Self { InternalChecks() }
}

/// How runs are handed to a document.
enum Delivery: CaseIterable {
    /// One by one, through the tracker that is kept.
    case live
    /// All at once, by a plan.
    case batch
    /// As the document decides.
    case usual

    /// Whether the runs of one merge are replayed as a batch.
    var minimumBatchCount: Int? {
        switch self {
        case .live: .max
        case .batch: 1
        case .usual: nil
        }
    }
}

/// A document and a plain copy of its text that is made by nothing but the changes it tells of.
struct FollowedDocument {
    var document = Document()
    private(set) var copy: [Unicode.Scalar] = []

    /// Merges runs and carries out what the document says has changed.
    mutating func merge(_ runs: [OperationRun], by delivery: Delivery = .usual) throws {
        let result: Document.MergeResult
        if let count = delivery.minimumBatchCount {
            // The usual way asks for a packed history when it needs it.
            if document.hasHistory { try document.unpackHistory() }
            result = try document.merge(runs, minimumBatchCount: count)
        } else {
            result = try document.merge(runs)
        }
        follow(result.changes)
    }

    /// Carries out changes, then looks at the document's inside if that is wanted.
    mutating func follow(_ changes: [Patch]) {
        for patch in changes {
            copy.replaceSubrange(patch.range, with: patch.text.unicodeScalars)
        }
        if InternalChecks.areOn { document.checkInvariants() }
    }

    /// Does something else with the document, after which its inside is looked at.
    mutating func change<Failure: Error>(
        _ body: (inout Document) throws(Failure) -> [Patch]
    ) throws(Failure) {
        follow(try body(&document))
    }

    /// What is wrong with the text, if anything is.
    func fault(expected: String) -> String? {
        let text = document.text.string
        var copied = String.UnicodeScalarView()
        copied.append(contentsOf: copy)
        if text.bytes != expected.bytes {
            return "the text is \(text.debugDescription), not \(expected.debugDescription)"
        }
        if String(copied).bytes != expected.bytes {
            return "the changes make \(String(copied).debugDescription), not "
                + expected.debugDescription
        }
        return nil
    }
}

@Suite struct InternalChecksTests {
    @Test(.internalChecks) func `the trait turns checks on`() { #expect(InternalChecks.areOn) }

    @Test func `without the trait they are off`() { #expect(!InternalChecks.areOn) }
}
