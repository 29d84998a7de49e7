import ECRCore
import LinuxSystem

/// What the operator sees while a command waits: on a terminal one line that is drawn over, in a log a line for each loss
/// and return of the link.
struct WaitingLine {
    /// What is waited for; nil until it has begun.
    private var subject: String?
    /// The job that goes on although the link is lost.
    private var job: String?
    private var phase = JobPhase.running
    private var began = Clock.boottimeNanoseconds()
    private var link: LinkNews?
    private var isHoldTold = false
    /// When the next attempt to connect is due; see `Clock.boottimeNanoseconds`.
    private var retryAt: Int64?
    private var transfer = TransferDisplay()

    /// - Parameter subject: what is waited for, if that is known already.
    init(_ subject: String?) { self.subject = subject }

    mutating func take(_ message: ControlClient.Message) {
        switch message {
        case .begun(let job):
            (self.job, phase) = (job, .running)
            subject = job
            began = Clock.boottimeNanoseconds()
        case .phase(let job, let phase):
            (self.job, self.phase) = (job, phase)
            return
        case .link(let news): take(news)
        case .transferring(let news): transfer.take(news)
        case .transferred(let path, let size): transfer.take(path, size)
        case .holding(let text): return hold(text)
        case .recorded, .progress, .ended, .event: return
        }
        draw()
    }

    private mutating func take(_ news: LinkNews) {
        let isNew = link == nil
        link = news
        switch news {
        case .lost(let since, let retryIn):
            retryAt = retryIn.map { Clock.boottimeNanoseconds() + Int64($0 * 1e9) }
            if isNew && !Terminal.errorIsTerminal {
                Terminal.say("link lost \(Amount.clock(since))\(goingOn); reconnecting")
            }
        case .needsInput(let since, let question):
            Terminal.say(
                "link lost \(Amount.clock(since))\(goingOn); the target asks: \(question)\nnext: ecr run reconnect")
        case .restored(let since, let seconds):
            link = nil
            Terminal.say("link lost \(Amount.clock(since)), back after \(Amount.seconds(seconds))")
        }
    }

    /// On a terminal it is drawn over every second, in a log it stands once.
    private mutating func hold(_ text: String) {
        if Terminal.errorIsTerminal { return Terminal.showStatus(text) }
        if !isHoldTold { Terminal.say(text) }
        isHoldTold = true
    }

    private var goingOn: String {
        guard let job else { return "" }
        return switch phase {
        case .running: ", \(job) runs on"
        case .uploading: ", \(job) has not begun"
        case .fetching: ", \(job) has ended"
        }
    }

    /// Draws the line anew; to be called every second.
    func draw() {
        if case .lost(let since, _) = link {
            let rest = max(0, ((retryAt ?? 0) - Clock.boottimeNanoseconds() + 999_999_999) / 1_000_000_000)
            let retry = rest > 0 ? "retry in \(rest) s" : "connecting"
            Terminal.showStatus("link lost \(Amount.clock(since))\(goingOn), \(retry)")
        } else if let text = transfer.text() {
            Terminal.showStatus(text)
        } else if let subject {
            let seconds = (Clock.boottimeNanoseconds() - began) / 1_000_000_000
            // A job that is over within a moment needs no clock.
            if seconds >= 1 { Terminal.showStatus("\(subject)  \(Amount.elapsed(seconds: seconds))") }
        }
    }
}
