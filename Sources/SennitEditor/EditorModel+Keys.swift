// Which key does what. The bar at the bottom and the help screen name the same keys.

extension EditorModel {
    /// Takes in a key.
    mutating func press(_ key: Key) -> [EditorEffect] {
        followsCursor = true
        if showsHelp {
            showsHelp = false
            return []
        }
        if search != nil, pressInSearch(key) { return [] }
        let cutLineBefore = self.cutLineBefore
        self.cutLineBefore = false
        let isSelecting = key.modifiers.contains(.shift)
        let byWord = key.modifiers.contains(.control) || key.modifiers.contains(.alt)
        switch key.code {
        case .scalar(let scalar):
            if key.modifiers.contains(.control) {
                return pressControl(scalar, cutLineBefore: cutLineBefore)
            }
            if key.modifiers.contains(.alt) { return pressAlt(scalar) }
            type(String(scalar))
        case .enter: breakLine()
        case .tab: if key.modifiers.isEmpty { type("\t") }
        case .backspace: eraseBackward(byWord: byWord)
        case .delete: eraseForward(byWord: byWord)
        case .left: moveLeft(byWord: byWord, selecting: isSelecting)
        case .right: moveRight(byWord: byWord, selecting: isSelecting)
        case .up: moveRows(by: -1, selecting: isSelecting)
        case .down: moveRows(by: 1, selecting: isSelecting)
        case .pageUp: moveRows(by: -max(bodyRowCount - 1, 1), selecting: isSelecting)
        case .pageDown: moveRows(by: max(bodyRowCount - 1, 1), selecting: isSelecting)
        case .home: moveHome(toStartOfText: byWord, selecting: isSelecting)
        case .end: moveEnd(toEndOfText: byWord, selecting: isSelecting)
        case .escape: anchor = nil
        case .function(1): showsHelp = true
        case .insert, .function: break
        }
        return []
    }

    private mutating func pressControl(
        _ letter: Unicode.Scalar,
        cutLineBefore: Bool
    ) -> [EditorEffect] {
        switch letter {
        case "a": moveHome(toStartOfText: false, selecting: false)
        case "e": moveEnd(toEndOfText: false, selecting: false)
        case "c": return copySelection()
        case "x": return selection == nil ? [.quit] : cutSelection()
        case "k": return cutLine(adding: cutLineBefore)
        case "v", "u": paste(clipboard)
        case "z": undo()
        case "y": redo()
        case "d": eraseForward(byWord: false)
        case "f", "w": beginSearch()
        case "g": showsHelp = true
        case "l": return [.redraw]
        case "q": return [.quit]
        case "o", "s": show("Every change is already saved")
        default: show("^\(letter.properties.uppercaseMapping) does nothing; ^G shows the keys")
        }
        return []
    }

    private mutating func pressAlt(_ letter: Unicode.Scalar) -> [EditorEffect] {
        switch letter {
        case "u": undo()
        case "e": redo()
        case "6": return copySelection()
        default: break
        }
        return []
    }
}
