#if PostgreSQL
import RelayStorage
import SennitWire
import Testing

@testable import RelayPostgres

struct GroupPlanTests {
    let log = FakeLog(1)

    private func ledger(end: UInt64, isFresh: Bool = false) -> Ledger {
        var ledger = Ledger()
        ledger.spaces[log.space] = Ledger.Space()
        ledger.logs[log.id] = Ledger.Log(
            number: 7,
            space: log.space,
            end: end,
            start: 0,
            isFresh: isFresh
        )
        return ledger
    }

    @Test func `units are judged one after the other and gathered into one move of each log`() {
        let other = FakeLog(2)
        let ledger = ledger(end: 4)
        var plan = GroupPlan(marks: RaceMarks())
        let units: [StorageUnit] = [
            [.append(log.batch(4, 6), log: log.id)], [.append(log.batch(6, 7), log: log.id)],
            [
                .createLog(other.descriptor, space: other.space),
                .append(other.batch(0, 1), log: other.id),
            ],
            [.append(log.batch(9, 10), log: log.id)],
        ]
        for (number, unit) in units.enumerated() {
            plan.judge(unit, submission: UInt64(number), ledger)
        }
        #expect(plan.results == [nil, nil, nil, .conflict(log: log.id, end: Offset(7))])
        #expect(plan.calls.map(\.statement.name) == ["create_log", "move_ends", "add_batches"])
        #expect(plan.growths[log.id]?.first == 4)
        #expect(plan.growths[log.id]?.end == 7)
    }

    @Test func `after a lost race nothing that was already on its way is let through`() {
        // Another relay moved the log from 4 to 6. What comes at 6 was judged as if this relay's
        // own 4..<6 were stored, and would continue other bytes.
        var ledger = ledger(end: 6, isFresh: true)
        var plan = GroupPlan(marks: RaceMarks())
        plan.judge([.append(log.batch(4, 6), log: log.id)], submission: 1, ledger)
        plan.judge([.append(log.batch(6, 7), log: log.id)], submission: 2, ledger)
        let conflict = StorageError.conflict(log: log.id, end: Offset(6))
        #expect(plan.results == [conflict, conflict])
        #expect(plan.isEmpty)
        // Submission 3 came before anybody was told; 4 comes from who knows.
        var marks = plan.marks
        marks.tell(judged: 2) { $0 == 1 ? 3 : nil }
        plan = GroupPlan(marks: marks)
        plan.judge([.append(log.batch(6, 8), log: log.id)], submission: 3, ledger)
        plan.judge([.append(log.batch(6, 9), log: log.id)], submission: 4, ledger)
        #expect(plan.results == [conflict, nil])
        marks.tell(judged: 4) { _ in nil }
        #expect(marks.isEmpty)
        plan.apply(to: &ledger)
        #expect(ledger.logs[log.id]?.end == 9)
        #expect(ledger.logs[log.id]?.isFresh == false)
    }

    @Test func `where this relay alone wrote a unit that doesn't fit marks nothing`() {
        let ledger = ledger(end: 4)
        var plan = GroupPlan(marks: RaceMarks())
        plan.judge([.append(log.batch(5, 6), log: log.id)], submission: 1, ledger)
        plan.judge([.append(log.batch(4, 5), log: log.id)], submission: 2, ledger)
        #expect(plan.results == [.conflict(log: log.id, end: Offset(4)), nil])
    }
}
#endif
