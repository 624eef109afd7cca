import Foundation
import Testing

@testable import SennitCLI

// The codes in `Codes` were made by qrencode 4.1.1: `qrencode -l L -8 -m 2 -t UTF8 -v VERSION
// TEXT`.

struct QRCodeTests {
    @Test(arguments: [1, 7, 10, 15])
    func `a code is the one another encoder makes, module for module`(version: Int) throws {
        let lines = try String(contentsOfFile: QRCodeTests.path(version), encoding: .utf8)
            .split(separator: "\n").map(String.init)
        let text = try #require(lines.first)
        let expected = QRCodeTests.modules(lines.dropFirst())
        // Which mask reads best is a matter of taste; everything else is not.
        let codes = try (0..<8).map { try #require(QRCode(Array(text.utf8), mask: $0)) }
        #expect(codes.allSatisfy { $0.version == version })
        let drawn = codes.map { QRCodeTests.modules($0.terminalLines(isColored: false)[...]) }
        #expect(drawn.count { $0 == expected } == 1)
    }

    @Test func `the mask that is chosen is the one with the least penalty`() throws {
        let bytes = Array("sennit:1#AbC".utf8)
        let code = try #require(QRCode(bytes))
        let version = try #require(QRVersion.smallest(holding: bytes.count))
        let codewords = QRCodewords.all(for: bytes, version)
        let penalties = (0..<8).map {
            QRModules(codewords, version: version, mask: $0).penalty
        }
        #expect(Set(penalties).count > 1)
        #expect(penalties[code.mask] == penalties.min())
    }

    @Test func `the smallest version that holds the text is taken`() throws {
        for version in QRVersion.all {
            let full = [UInt8](repeating: 0x41, count: version.byteCapacity)
            #expect(QRCode(full, mask: 0)?.version == version.number)
            let next = QRCode(full + [0x41], mask: 0)
            #expect(next?.version == (version.number == 15 ? nil : version.number + 1))
        }
    }

    @Test func `repair codewords are those of the standard's example`() {
        // ISO/IEC 18004, annex I: "01234567" as version 1-M, ten repair codewords.
        let data: [UInt8] = [
            0x10, 0x20, 0x0C, 0x56, 0x61, 0x80, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11,
            0xEC, 0x11,
        ]
        let generator = QRCodewords.generator(degree: 10)
        #expect(
            QRCodewords.repair(of: data[...], generator)
                == [0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55]
        )
    }

    @Test func `with colours the code is dark on light whatever the terminal's are`() throws {
        let code = try #require(QRCode(Array("hello".utf8)))
        let lines = code.terminalLines(isColored: true)
        #expect(lines.count == 13)
        #expect(lines.allSatisfy { $0.hasPrefix("\u{1B}[38;5;16;48;5;231m") })
        #expect(lines.allSatisfy { $0.hasSuffix("\u{1B}[0m") })
        // The finder's upper edge, behind two modules of border.
        #expect(lines[1].contains("m  █▀▀▀▀▀█ "))
    }

    private static func path(_ version: Int) -> String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Codes/version-\(version).txt").path
    }

    /// Dark modules, by rows, of a drawing in half blocks whose light modules are drawn.
    private static func modules(_ lines: ArraySlice<String>) -> [[Bool]] {
        let rows = lines.flatMap { line in
            [line.map { !"█▀".contains($0) }, line.map { !"█▄".contains($0) }]
        }
        // Below an odd square there is half a line, which the two draw differently.
        return Array(rows.prefix(rows.first?.count ?? 0))
    }
}
