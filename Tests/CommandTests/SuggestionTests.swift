import Testing

@testable import SennitCLI

struct SuggestionTests {
    private let verbs = [
        "new", "invite", "join", "ls", "cat", "write", "status", "search", "watch",
    ]

    @Test(arguments: [
        ("stauts", "status"), ("invit", "invite"), ("serach", "search"), ("Writ", "write"),
        ("list", "ls"), ("grep", "search"), ("sl", "ls"),
    ])
    func `a slip or another tool's word leads to the verb`(word: String, verb: String) {
        #expect(Suggestion.verb(for: word, among: verbs) == verb)
    }

    @Test(arguments: ["frobnicate", "x", "stanza", ""])
    func `a word that is like none leads nowhere`(word: String) {
        #expect(Suggestion.verb(for: word, among: verbs) == nil)
    }

    @Test func `a swap of neighbours counts once`() {
        #expect(Suggestion.distance("ab", "ba") == 1)
        #expect(Suggestion.distance("", "abc") == 3)
        #expect(Suggestion.distance("kitten", "sitting") == 3)
    }
}
