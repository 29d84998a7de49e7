package import SSH

extension SSHSession {
    /// Carries out steps on the session, which is closed when they take too long: a target that answers no more must
    /// not hold a person up.
    package func bounded<Value: Sendable>(
        seconds: Double, _ steps: @SSHActor () async throws -> Value
    ) async throws -> Value {
        let watchdog = Task {
            try await Task.sleep(for: .seconds(seconds))
            await self.close()
        }
        defer { watchdog.cancel() }
        do { return try await steps() } catch let error as SSHError where error.code == .closed && !isConnected {
            throw SSHError(.connectionLost, "no answer within \(Int(seconds)) s")
        }
    }
}
