import ECRCore
import LinuxSystem

/// How files on their way are shown: on a terminal one line with the rate and the time that is left, in a log a line for
/// each file that has come.
struct TransferDisplay {
    /// What is done with them, where that is neither sending nor fetching.
    private let deed: String?
    private var news: TransferNews?
    /// When bytes were last heard of.
    private var cameAt: Int64 = 0

    /// Nanoseconds. Origin: about the time over which the rate is taken, which says nothing of the present any more.
    private static let silence: Int64 = 3_000_000_000

    init(_ deed: String? = nil) { self.deed = deed }

    /// - Parameter now: nanoseconds of the clock since boot.
    mutating func take(_ news: TransferNews, now: Int64 = Clock.boottimeNanoseconds()) {
        if news.bytes != self.news?.bytes { cameAt = now }
        self.news = news.files >= news.allFiles && news.bytes >= news.allBytes ? nil : news
    }

    mutating func take(_ path: String, _ size: Int64) {
        if !Terminal.errorIsTerminal { Terminal.say("\(SafeText.line(path))  \(Amount.bytes(size))") }
    }

    /// Nil while nothing is on its way.
    /// - Parameter now: nanoseconds of the clock since boot.
    func text(now: Int64 = Clock.boottimeNanoseconds()) -> String? {
        guard let news else { return nil }
        let silence = now - cameAt
        var parts = [TransferAmount.text(news)]
        if silence >= Self.silence {
            parts.append("nothing for \(silence / 1_000_000_000) s")
        } else if let rate = news.rate {
            parts.append("\(Amount.bytes(Int64(rate)))/s")
            if rate >= 1, news.allBytes > news.bytes {
                let seconds = (Double(news.allBytes - news.bytes) / rate).rounded(.up)
                // A target may claim any size.
                parts.append("\(Amount.elapsed(seconds: Int64(min(seconds, 1e9)))) left")
            }
        }
        if news.allFiles > 1 { parts.insert("\(news.files) of \(news.allFiles) files", at: 0) }
        if let name = news.name, news.allFiles > 1, news.size > 0 {
            parts.append("\(SafeText.line(name)) \(news.done * 100 / news.size) %")
        }
        let subject = news.allFiles == 1 ? news.name.map { " \(SafeText.line($0))" } ?? "" : ""
        return "\(deed ?? (news.isUpload ? "sending" : "fetching"))\(subject)  \(parts.joined(separator: ", "))"
    }
}

/// How many bytes of a transfer have come.
enum TransferAmount {
    /// `34 % of 2.0 MiB`; of what says no size before it is read only what has come: `1.2 MiB`.
    static func text(_ news: TransferNews) -> String {
        guard news.allBytes > 0, news.bytes <= news.allBytes else { return Amount.bytes(news.bytes) }
        return "\(news.bytes * 100 / news.allBytes) % of \(Amount.bytes(news.allBytes))"
    }
}
