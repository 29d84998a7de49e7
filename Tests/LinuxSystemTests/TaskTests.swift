import LinuxSystem
import Testing

@Suite(.timeLimit(.minutes(1))) struct TaskTests {
    private func endless() -> Task<Int, Never> {
        Task {
            try? await Task<Never, Never>.sleep(for: .seconds(600))
            return 1
        }
    }

    @Test func whatIsThereIsGiven() async {
        let task = Task { 1 }
        #expect(await task.value(within: 30) == 1)
        #expect(await task.value() == 1)
    }

    @Test func whatTakesLongIsNotWaitedFor() async {
        let endless = endless()
        #expect(await endless.value(within: 0.05) == nil)
        #expect(!endless.isCancelled)
        endless.cancel()
    }

    @Test func whoeverIsCancelledGoes() async {
        let endless = endless()
        let waiting = Task { await endless.value() }
        waiting.cancel()
        #expect(await waiting.value == nil)
        #expect(!endless.isCancelled)
        endless.cancel()
    }
}
