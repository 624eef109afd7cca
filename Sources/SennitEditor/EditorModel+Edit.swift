import SennitDocument

extension EditorModel {
    /// The one way in which the person's own keys change the text.
    mutating func replace(_ range: Range<Int>, with addition: String, kind: UndoHistory.Kind) {
        if isReadOnly {
            show("You may read this document, not change it")
            return
        }
        let patch = Patch(range: range, text: addition)
        if range.isEmpty && addition.isEmpty { return }
        history.record(patch, in: text, kind: kind, at: now)
        text.apply(patch)
        moveMarks(over: patch, peerGravity: .left)
        outbox.append(patch)
        moveCursor(to: range.lowerBound + patch.insertedCount)
    }

    mutating func type(_ addition: String) {
        replace(selection ?? cursor..<cursor, with: addition, kind: .typing)
    }

    /// A new line that begins with the spaces and tabs of this one.
    mutating func breakLine() {
        let range = selection ?? cursor..<cursor
        let line = text.lineRange(text.lineIndex(ofScalar: range.lowerBound))
        let before = text.slice(line.lowerBound..<range.lowerBound).unicodeScalars
        let indent = String(before.prefix { $0 == " " || $0 == "\t" })
        replace(range, with: "\n" + indent, kind: .typing)
    }

    mutating func eraseBackward(byWord: Bool) {
        if let selection {
            replace(selection, with: "", kind: .other)
        } else if cursor > 0 {
            replace(
                position(before: cursor, byWord: byWord)..<cursor,
                with: "",
                kind: .erasingBackward
            )
        }
    }

    mutating func eraseForward(byWord: Bool) {
        if let selection {
            replace(selection, with: "", kind: .other)
        } else if cursor < text.scalarCount {
            replace(
                cursor..<position(after: cursor, byWord: byWord),
                with: "",
                kind: .erasingForward
            )
        }
    }

    mutating func paste(_ pasted: String) {
        if showsHelp { showsHelp = false }
        if search != nil {
            extendSearch(with: pasted)
            return
        }
        followsCursor = true
        let clean = EditorModel.cleaned(pasted)
        if clean.isEmpty { return }
        history.close()
        replace(selection ?? cursor..<cursor, with: clean, kind: .other)
    }

    /// Text as it may go into a document: line feeds for all line ends, no controls but tabs.
    static func cleaned(_ pasted: String) -> String {
        var clean = String.UnicodeScalarView()
        var isAfterReturn = false
        for scalar in pasted.unicodeScalars {
            defer { isAfterReturn = scalar == "\r" }
            if scalar == "\n" && isAfterReturn { continue }
            if scalar == "\r" || scalar == "\n" {
                clean.append("\n")
            } else if scalar == "\t" || (scalar.value >= 0x20 && scalar.value != 0x7F) {
                clean.append(scalar)
            }
        }
        return String(clean)
    }

    mutating func copySelection() -> [EditorEffect] {
        guard let selection else {
            show("Select with Shift and the arrow keys, then copy")
            return []
        }
        clipboard = text.slice(selection)
        show("Copied")
        return [.copy(clipboard)]
    }

    mutating func cutSelection() -> [EditorEffect] {
        guard let selection else { return [] }
        clipboard = text.slice(selection)
        replace(selection, with: "", kind: .other)
        return [.copy(clipboard)]
    }

    /// Cuts the line with its end. One after another, lines gather in the clipboard.
    mutating func cutLine(adding: Bool) -> [EditorEffect] {
        if selection != nil { return cutSelection() }
        let line = text.lineRange(text.lineIndex(ofScalar: cursor))
        let end = min(line.upperBound + 1, text.scalarCount)
        if isReadOnly || line.lowerBound == end {
            replace(line.lowerBound..<end, with: "", kind: .other)
            return []
        }
        let taken = text.slice(line.lowerBound..<end)
        clipboard = adding ? clipboard + taken : taken
        replace(line.lowerBound..<end, with: "", kind: .other)
        cutLineBefore = true
        return [.copy(clipboard)]
    }

    mutating func undo() {
        step("Nothing of yours to undo") { $0.undo(&$1) }
    }

    mutating func redo() {
        step("Nothing to redo") { $0.redo(&$1) }
    }

    private mutating func step(
        _ refusal: String,
        _ take: (inout UndoHistory, inout Rope) -> [Patch]
    ) {
        if isReadOnly {
            show("You may read this document, not change it")
            return
        }
        let patches = take(&history, &text)
        guard let last = patches.last else {
            show(refusal)
            return
        }
        for patch in patches { moveMarks(over: patch, peerGravity: .left) }
        outbox += patches
        moveCursor(to: last.range.lowerBound + last.insertedCount)
    }
}
