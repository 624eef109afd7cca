import SennitWire

/// Parents of runs that were added or were here, of which some may be ancestors of others. They
/// are compared all at once (EventGraph+Ancestry.swift): one by one each comparison may walk the
/// whole graph, and a hostile batch has tens of thousands.
struct UncomparedParents: Sendable {
    typealias Question = EventGraph.AncestryQuestion

    /// By the first event of a new run: what are its parents until they have been compared.
    var added: [(event: LocalEvent, parents: [LocalEvent])] = []
    /// By the name of the first event of a run that was here: the parents that it is said to have.
    var known: [(name: EventID, parents: [LocalEvent])] = []
    /// How many steps comparing one by one may still take; without limit if runs are not added
    /// together.
    var budget = Int.max

    /// By the first event of a new run: the parents that precede others of them.
    func redundantParents(in graph: EventGraph) -> [LocalEvent: [LocalEvent]] {
        var questions: [Question] = []
        var owners: [LocalEvent] = []
        for (event, parents) in added {
            // Parents are ascending, and what descends from one is greater.
            for (index, parent) in parents.dropLast().enumerated() {
                let later = Array(parents[(index + 1)...])
                questions.append(Question(event: parent, descendants: later))
                owners.append(event)
            }
        }
        var redundant: [LocalEvent: [LocalEvent]] = [:]
        for (index, isRedundant) in graph.answers(to: questions).enumerated() where isRedundant {
            redundant[owners[index], default: []].append(questions[index].event)
        }
        return redundant
    }

    /// An event that has other parents than it is said to have, ancestors of these left out.
    func conflict(in history: History) -> EventID? {
        var questions: [Question] = []
        var names: [EventID] = []
        for (name, parents) in known {
            guard let event = history.names.event(named: name) else { return name }
            let stored = history.graph.parents(of: event)
            guard stored.allSatisfy(parents.contains) else { return name }
            for parent in parents where !stored.contains(parent) {
                questions.append(Question(event: parent, descendants: stored))
                names.append(name)
            }
        }
        let answers = history.graph.answers(to: questions)
        return answers.firstIndex(of: false).map { names[$0] }
    }
}
