import SennitReference
import SennitWire
import Testing

@Suite struct ReferenceDocumentTests {
    @Test func `a sequential history is what its author saw`() {
        var document = ReferenceDocument()
        var last = document.insert("héllo", at: 0, by: Logs.a, 0)
        last = document.delete(1..<3, by: Logs.a, 5, after: last)
        last = document.insert("🙂e", at: 1, by: Logs.a, 7, after: last)
        #expect(document.text == "h🙂elo")
        #expect(document.text(at: []) == "")
        #expect(document.text(at: [EventID(log: Logs.a, number: 2)]) == "hél")
        #expect(document.text(at: [EventID(log: Logs.a, number: 5)]) == "hllo")
        #expect(!document.hasConcurrentInsertsAtOnePlace)
    }

    @Test func `a tie is broken by log, then by event number`() {
        for (first, second, expected) in [
            (EventID(log: Logs.a, number: 9), EventID(log: Logs.b, number: 1), "12"),
            (EventID(log: Logs.b, number: 1), EventID(log: Logs.a, number: 9), "21"),
            (EventID(log: Logs.a, number: 2), EventID(log: Logs.a, number: 7), "12"),
            (EventID(log: Logs.a, number: 7), EventID(log: Logs.a, number: 2), "21"),
        ] {
            var document = ReferenceDocument()
            _ = document.insert("1", at: 0, by: first.log, first.number)
            _ = document.insert("2", at: 0, by: second.log, second.number)
            #expect(document.text == expected)
            #expect(document.hasConcurrentInsertsAtOnePlace)
        }
    }

    @Test func `words typed forwards at one place do not interleave`() {
        var document = ReferenceDocument()
        let base = document.insert("()", at: 0, by: Logs.c, 0)
        let words = [(Logs.a, "abc"), (Logs.b, "xyz")]
        var lasts = [base, base]
        // Each letter of one author is added between two letters of the other.
        for position in 0..<3 {
            for (author, (log, word)) in words.enumerated() {
                let letter = String(Array(word)[position])
                lasts[author] = document.insert(
                    letter,
                    at: position + 1,
                    by: log,
                    UInt64(position),
                    after: lasts[author]
                )
            }
        }
        #expect(document.text == "(abcxyz)")
    }

    @Test func `words typed backwards at one place do not interleave`() {
        var document = ReferenceDocument()
        let base = document.insert("()", at: 0, by: Logs.c, 0)
        let words = [(Logs.a, "cba"), (Logs.b, "zyx")]
        var lasts = [base, base]
        for position in 0..<3 {
            for (author, (log, word)) in words.enumerated() {
                let letter = String(Array(word)[position])
                let number = UInt64(position)
                lasts[author] = document.insert(
                    letter,
                    at: 1,
                    by: log,
                    number,
                    after: lasts[author]
                )
            }
        }
        #expect(document.text == "(abcxyz)")
    }

    @Test(arguments: [(ReferenceOrder.fugueMax, "ayxb"), (.fugue, "axyb")])
    func `only FugueMax keeps a scalar next to its right origin`(
        order: ReferenceOrder,
        expected: String
    ) {
        // a and b are typed concurrently. Who knows both types x between them, who knows only a
        // types y after it: x and y are right siblings below a, with b and the end as right
        // origins. No smaller graph tells the two apart: it takes a, b and two such siblings.
        var document = ReferenceDocument(order: order)
        let a = document.insert("a", at: 0, by: Logs.a, 0)
        let b = document.insert("b", at: 0, by: Logs.b, 0)
        _ = document.insert("x", at: 1, by: Logs.c, 0, after: a, b)
        _ = document.insert("y", at: 1, by: Logs.d, 0, after: a)
        #expect(document.text == expected)
    }

    @Test func `a tombstone is a right origin`() {
        // b is deleted before x is typed in its place; y is typed between a and b by who sees b.
        // Both hang on the left of b, so their order is the order of their logs.
        var document = ReferenceDocument()
        let base = document.insert("abc", at: 0, by: Logs.c, 0)
        let deletion = document.delete(1..<2, by: Logs.b, 0, after: base)
        _ = document.insert("x", at: 1, by: Logs.b, 1, after: deletion)
        _ = document.insert("y", at: 1, by: Logs.a, 0, after: base)
        _ = document.insert("z", at: 2, by: Logs.a, 1, after: base)
        #expect(document.text == "ayxzc")
    }

    @Test func `a scalar deleted twice is deleted once`() {
        var document = ReferenceDocument()
        let base = document.insert("abcd", at: 0, by: Logs.a, 0)
        let one = document.delete(0..<3, by: Logs.a, 4, after: base)
        let two = document.delete(1..<4, by: Logs.b, 0, after: base)
        #expect(document.text == "")
        #expect(document.text(at: [one]) == "d")
        #expect(document.text(at: [two]) == "a")
        let middles = [EventID(log: Logs.a, number: 5), EventID(log: Logs.b, number: 0)]
        #expect(document.text(at: middles) == "cd")
    }

    @Test func `an event in the middle of an operation is a parent`() {
        var document = ReferenceDocument()
        let last = document.insert("abcd", at: 0, by: Logs.b, 0)
        let middle = EventID(log: Logs.b, number: 1)
        let inserted = document.insert("X", at: 2, by: Logs.a, 0, after: middle)
        #expect(document.text(at: [inserted]) == "abX")
        #expect(document.text == "abXcd")
        let deletion = document.delete(0..<3, by: Logs.b, 4, after: last)
        #expect(document.text(at: [deletion]) == "d")
        _ = document.insert("Y", at: 0, by: Logs.a, 1, after: EventID(log: Logs.b, number: 4))
        #expect(document.text == "YXd")
    }

    @Test func `an operation at an impossible position is void but its events exist`() {
        var document = ReferenceDocument()
        let base = document.insert("ab", at: 0, by: Logs.a, 0)
        for operation in [
            ReferenceOperation.insert(position: 3, text: "xy"),
            .insert(position: -1, text: "xy"),
            .delete(1..<3),
            .delete(-1..<1),
        ] {
            var copy = document
            copy.add(author: Logs.b, firstNumber: 0, parents: [base], operation: operation)
            #expect(copy.text == "ab")
            for number in [UInt64(0), 1] {
                #expect(copy.text(at: [EventID(log: Logs.b, number: number)]) == "ab")
            }
            let event = EventID(log: Logs.b, number: 1)
            _ = copy.insert("c", at: 2, by: Logs.b, 2, after: event)
            #expect(copy.text == "abc")
            #expect(copy.isViewExact)
        }
    }

    @Test func `an operation without scalars is nothing`() {
        var document = ReferenceDocument()
        _ = document.insert("a", at: 0, by: Logs.a, 0)
        document.add(
            author: Logs.a,
            firstNumber: 1,
            parents: [],
            operation: .insert(position: 0, text: "")
        )
        document.add(author: Logs.a, firstNumber: 1, parents: [], operation: .delete(0..<0))
        _ = document.insert("b", at: 1, by: Logs.a, 1, after: EventID(log: Logs.a, number: 0))
        #expect(document.text == "ab")
    }

    @Test func `numbers may have gaps and come in any order`() {
        var document = ReferenceDocument()
        let late = document.insert("c", at: 0, by: Logs.a, 100)
        let early = document.insert("a", at: 0, by: Logs.a, 3)
        let middle = document.insert("b", at: 0, by: Logs.a, 50)
        #expect(document.text == "abc")
        #expect(document.text(at: [late, early]) == "ac")
        #expect(document.text(at: [middle]) == "b")
    }

    @Test func `an unknown parent and a number used twice trap`() async {
        await #expect(processExitsWith: .failure) {
            var document = ReferenceDocument()
            _ = document.insert("ab", at: 0, by: Logs.a, 0)
            _ = document.insert("c", at: 0, by: Logs.b, 0, after: EventID(log: Logs.a, number: 2))
        }
        await #expect(processExitsWith: .failure) {
            var document = ReferenceDocument()
            _ = document.insert("ab", at: 0, by: Logs.a, 0)
            _ = document.insert("c", at: 0, by: Logs.a, 1)
        }
    }

    @Test func `random graphs end alike in every order and by the integrate rule`() {
        var differing = 0
        for seed in UInt64(1)...150 {
            let graph = randomGraph(operationCount: 4 + Int(seed % 24), seed: seed)
            var texts: [String] = []
            for order in [ReferenceOrder.fugueMax, .fugue] {
                var document = ReferenceDocument(order: order)
                var rule = IntegrateRule(order: order)
                for operation in graph {
                    document.add(operation)
                    rule.add(operation)
                    #expect(document.isViewExact, "seed \(seed) \(order)")
                }
                #expect(document.text == rule.text, "seed \(seed) \(order)")
                var other = ReferenceDocument(order: order)
                for operation in reordered(graph, seed: seed) { other.add(operation) }
                #expect(document.text == other.text, "seed \(seed) \(order)")
                texts.append(document.text)
            }
            if texts[0] != texts[1] { differing += 1 }
        }
        #expect(differing > 0, "the graphs do not tell FugueMax from Fugue")
    }
}
