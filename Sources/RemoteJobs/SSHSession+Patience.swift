package import SSH

extension SSHSession {
    /// Carries out steps on the session, which is closed when they take too long: a target that answers no more must
    /// not hold a person up.
    /// - Parameter problem: what is said of it then, with the seconds behind it.
    package func bounded<Value: Sendable, Failure: Error>(
        seconds: Double, _ problem: String = "no answer", hint: String? = nil,
        _ steps: @SSHActor () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let watchdog = Task {
            try await Task.sleep(for: .seconds(seconds))
            await self.close()
        }
        defer { watchdog.cancel() }
        do throws(Failure) { return try await steps() } catch {
            let lost = SSHError(.connectionLost, "\(problem) within \(Int(seconds)) s", hint: hint)
            if let cause = error as? SSHError, cause.code == .closed, !isConnected, let lost = lost as? Failure {
                throw lost
            }
            throw error
        }
    }
}
