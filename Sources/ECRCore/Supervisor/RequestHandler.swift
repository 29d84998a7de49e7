import EventLog
import Glibc
import JSON
import LinuxSystem
import RunStore

/// Turns a request of the control protocol into a step of the engine, and its outcome into the last line.
struct RequestHandler: Sendable {
    let engine: RunEngine
    let ending: SupervisorEnd

    func handle(_ request: JSON, _ client: ClientConnection) async {
        let asked = request["input"]?.bool == true ? engine.prompts.add { await client.ask($0) } : nil
        let link = engine.link.feed.add { client.send($0.json) }
        defer {
            if let asked { engine.prompts.remove(asked) }
            engine.link.feed.remove(link)
        }
        do {
            // Whoever only looks is answered to the last.
            let isLook = request["request"]?.string == "status"
            let number = isLook ? nil : try ending.admit(client, isAboutJob: Self.isAboutJob(request))
            defer { if let number { ending.dismiss(number) } }
            let (result, isOver) = try await answer(request, client)
            client.finish(["result": result])
            if isOver {
                // The client's thread writes the answer; give it the moment that this takes.
                try? await Task.sleep(for: .milliseconds(50))
                ending.send()
            }
        } catch {
            client.finish(["error": JSON(ECRFailure(error))])
        }
    }

    private static func isAboutJob(_ request: JSON) -> Bool {
        ["action", "exec", "stage", "follow"].contains(request["request"]?.string)
    }

    private func answer(_ request: JSON, _ client: ClientConnection) async throws -> (JSON, isOver: Bool) {
        switch request["request"]?.string {
        case "action": return (try await action(request, client), false)
        case "exec": return (try await exec(request, client), false)
        case "stage":
            return (
                try await engine.runStage(
                    try text(request, "name"), given: parameters(request), wait: request["wait"]?.bool ?? true,
                    whenGone: client.whenGone, listener: listener(client)
                ).json, false
            )
        case "cancel": return (try await engine.cancelJob(request["job"]?.string), false)
        case "pause": return (try await engine.pause(reason: request["reason"]?.string), false)
        case "resume": return (try await engine.resumePaused(), false)
        case "release": return (try await engine.releaseHolds(reason: try text(request, "reason")), false)
        case "parameters": return (try await engine.setParameters(parameters(request)), false)
        case "reconnect":
            let host = request["host"]?.string
            return (try await engine.reconnect(host: host.flatMap { MovedHost($0) }), false)
        case "follow": return (try await follow(request, client), false)
        case "push":
            let locals = (request["locals"]?.array ?? []).compactMap { RawPath(json: $0) }
            let remote = request["remote"].flatMap { RawPath(json: $0) } ?? RawPath("")
            return (
                try await engine.push(
                    locals, to: remote, method: request["method"]?.string,
                    whenGone: client.whenGone, listener: listener(client)), false
            )
        case "pull":
            let remotes = (request["remotes"]?.array ?? []).compactMap(\.string)
            return (
                try await engine.pull(
                    remotes, method: request["method"]?.string, whenGone: client.whenGone,
                    listener: listener(client)), false
            )
        case "record":
            let type = EventType(rawValue: try text(request, "type"))
            let attachments = (request["attachments"]?.array ?? []).compactMap { Attachment(json: $0) }
            return (try await engine.record(type, request["data"]?.object ?? [:], attachments), false)
        case "collector_start":
            let name = try text(request, "name")
            return (["collector": .string(name), "job": .string(try await engine.startCollector(name))], false)
        case "collector_stop":
            let name = try text(request, "name")
            return (["collector": .string(name), "job": .string(try await engine.stopCollector(name))], false)
        case "metrics_recompute": return (try await engine.recomputeMetrics(profile: request["profile"]?.string), false)
        case "collector_list": return (await engine.listCollectors(), false)
        case "complete":
            return (
                try await engine.complete(
                    wait: request["wait"]?.bool ?? false, cancelRunning: request["cancel_running"]?.bool ?? false,
                    withoutTarget: request["without_target"]?.bool ?? false, listener: listener(client)), true
            )
        case "abort": return (try await engine.abort(reason: request["reason"]?.string), true)
        case "status":
            let failure = ending.failure.map { JSON($0) }
            return (.object(JSONObject(await engine.status(), ["failure": failure])), false)
        default: throw ECRFailure(.usage, "unknown request \(request["request"]?.text ?? "(none)")")
        }
    }

    private func text(_ request: JSON, _ key: String) throws(ECRFailure) -> String {
        guard let text = request[key]?.string else { throw ECRFailure(.usage, "the request lacks \(key)") }
        return text
    }

    private func action(_ request: JSON, _ client: ClientConnection) async throws -> JSON {
        let name = try text(request, "name")
        let given = parameters(request)
        let wait = request["wait"]?.bool ?? true
        guard request["detach"]?.bool == true else {
            return try await engine.runAction(
                name, given: given, wait: wait, whenGone: client.whenGone, listener: listener(client)
            ).json
        }
        return try await detached { listener in
            Task { try await engine.runAction(name, given: given, wait: wait, listener: listener) }
        }
    }

    private func parameters(_ request: JSON) -> [(String, String)] {
        (request["parameters"]?.array ?? []).compactMap { pair in
            guard let pair = pair.array, pair.count == 2, let key = pair[0].string, let value = pair[1].string else {
                return nil
            }
            return (key, value)
        }
    }

    private func exec(_ request: JSON, _ client: ClientConnection) async throws -> JSON {
        let words = (request["command"]?.array ?? []).compactMap(\.string)
        let isRoot = request["sudo"]?.bool ?? false
        guard request["detach"]?.bool == true else {
            return try await engine.exec(words, isRoot: isRoot, listener: listener(client)).value.json
        }
        return try await detached { listener in try await engine.exec(words, isRoot: isRoot, listener: listener) }
    }

    private func follow(_ request: JSON, _ client: ClientConnection) async throws -> JSON {
        try await engine.follow(request["job"]?.string, listener: listener(client)).json
    }

    /// Starts a job and returns as soon as it has an id, or has failed to get one.
    private func detached(
        _ start: (@escaping RunEngine.Listener) async throws -> Task<JobEnd, any Error>
    ) async throws -> JSON {
        let (ids, continuation) = AsyncStream.makeStream(of: String.self)
        let task = try await start { job, news in if case .begun = news { continuation.yield(job) } }
        Task {
            _ = try? await task.value
            continuation.finish()
        }
        for await job in ids { return ["job": .string(job)] }
        return try await task.value.json
    }

    private func listener(_ client: ClientConnection) -> RunEngine.Listener {
        { job, news in client.tell(news, of: job) }
    }
}

extension JSON {
    /// A line of the control protocol.
    init(_ news: JobNews, of job: String) {
        switch news {
        case .recorded(let stream, let bytes):
            self = ["recorded": ["job": .string(job), "stream": .string(stream), "bytes": .int(bytes)]]
        case .begun: self = ["begun": ["job": .string(job)]]
        case .phase(let phase): self = ["phase": ["job": .string(job), "phase": .string(phase.rawValue)]]
        case .progress(let text): self = ["progress": .string(text)]
        case .holding(let text): self = ["holding": .string(text)]
        case .ended(let end): self = ["ended": end.json]
        case .transferring(let news): self = ["transferring": news.json]
        case .transferred(let path, let size):
            self = ["transferred": ["path": .string(path), "size": .int(size)]]
        }
    }
}
