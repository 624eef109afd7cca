import ArgumentParser
import Foundation
import NIOPosix
import SennitEditor
import SennitReference

/// `sennit-demo client`: one of the processes that a run starts.
struct Client: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Types one author's part of a run.",
        shouldDisplay: false
    )

    @Option(help: "The run's directory.")
    var run: String

    @Option(help: "Which client, from 0.")
    var index: Int

    @Flag(help: "Whether standard output is a terminal to draw on.")
    var shown = false

    func run() async throws {
        let directory = RunDirectory(path: run)
        let plan = try directory.readPlan()
        let group = MultiThreadedEventLoopGroup.singleton
        let control = try await ControlClient(path: directory.controlSocket, group: group)
        let interrupts = interruptions(to: control)
        defer { interrupts.cancel() }
        var hello = ClientReport(kind: .hello, client: index)
        hello.processID = getpid()
        control.send(hello)
        do {
            if plan.isForHands {
                try await edit(directory, plan, control)
            } else {
                try await type(directory, plan, control)
            }
        } catch {
            var report = ClientReport(kind: .failed, client: index)
            report.reason = "\(error)"
            await control.close(report)
            throw error
        }
    }

    private func type(
        _ directory: RunDirectory,
        _ plan: RunPlan,
        _ control: ControlClient
    ) async throws {
        var trace = Script(clientCount: plan.clientCount)
        if let path = plan.tracePath {
            trace = try Script(Trace(path: path), clientCount: plan.clientCount)
        }
        let bell = Bell()
        var orders = control.orders.makeAsyncIterator()
        guard let order = await orders.next() else { throw DemoError.interrupted }
        let space = try await ClientSpace.open(directory, plan, client: index, link: order.link)
        let updates = await space.updates()
        let listeners = [
            Task { for await _ in updates { bell.ring() } },
            Task {
                for await order in control.orders { bell.ring(with: order) }
                bell.hangUp()
            },
        ]
        defer { for listener in listeners { listener.cancel() } }
        bell.ring(with: order)
        var runner = try ClientRunner(
            directory: directory,
            plan: plan,
            client: index,
            trace: trace,
            space: space,
            control: control,
            bell: bell,
            order: order,
            isShown: shown
        )
        try await runner.run()
    }

    /// A person types.
    private func edit(
        _ directory: RunDirectory,
        _ plan: RunPlan,
        _ control: ControlClient
    ) async throws {
        var orders = control.orders.makeAsyncIterator()
        guard let order = await orders.next() else { throw DemoError.interrupted }
        let space = try await ClientSpace.open(directory, plan, client: index, link: order.link)
        let link = index == 0 ? try await space.link() : nil
        control.send(
            ClientReport(kind: .reached, client: index, stage: .joined, link: link)
        )
        _ = try await Editor.run(
            title: plan.names.document,
            port: space.port,
            environment: ProcessInfo.processInfo.environment
        )
        try await space.close()
        await control.close(ClientReport(kind: .reached, client: index, stage: .closed))
    }

    /// Ctrl-C in a pane stops the whole show; without panes it reaches the conductor by itself.
    private func interruptions(to control: ControlClient) -> any DispatchSourceSignal {
        signal(SIGINT, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        let client = index
        let isShown = shown
        source.setEventHandler {
            if isShown { control.send(ClientReport(kind: .interrupted, client: client)) }
        }
        source.resume()
        return source
    }
}
