extension Task where Failure == Never {
    /// The value, for somebody who cannot wait for it in every case; the task goes on.
    /// - Parameter seconds: how long it is waited for; nil for as long as it takes.
    /// - Returns: nil where it has taken longer, or whoever waits is cancelled.
    package func value(within seconds: Double? = nil) async -> Success? {
        let (values, given) = AsyncStream<Success>.makeStream()
        _ = Task<Void, Never> {
            given.yield(await self.value)
            given.finish()
        }
        let clock = seconds.map { seconds in
            Task<Void, Never> {
                try? await Task<Never, Never>.sleep(for: .seconds(seconds))
                given.finish()
            }
        }
        defer { clock?.cancel() }
        for await value in values { return value }
        return nil
    }
}
