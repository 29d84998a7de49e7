import ECRCore
import LinuxSystem

/// How files on their way are shown: on a terminal one line with the rate and the time that is left, in a log a line for
/// each file that has come.
struct TransferDisplay {
    /// What is done with them, where that is neither sending nor fetching.
    private let deed: String?
    private var news: TransferNews?
    /// When the transfer was first heard of, and how many bytes had come by then.
    private var began: Int64 = 0
    private var cameBefore: Int64 = 0

    init(_ deed: String? = nil) { self.deed = deed }

    mutating func take(_ news: TransferNews) {
        if self.news == nil || news.came < self.news?.came ?? 0 {
            began = Clock.boottimeNanoseconds()
            cameBefore = news.came
        }
        self.news = news.files >= news.allFiles && news.bytes >= news.allBytes ? nil : news
    }

    mutating func take(_ path: String, _ size: Int64) {
        if !Terminal.errorIsTerminal { Terminal.say("\(SafeText.line(path))  \(Amount.bytes(size))") }
    }

    /// Nil while nothing is on its way.
    var text: String? {
        guard let news else { return nil }
        let seconds = max(0.001, Double(Clock.boottimeNanoseconds() - began) / 1e9)
        let rate = Double(news.came - cameBefore) / seconds
        var parts = [TransferAmount.text(news), "\(Amount.bytes(Int64(rate)))/s"]
        if rate > 0, seconds >= 1, news.allBytes > news.bytes {
            parts.append("\(Amount.elapsed(seconds: Int64(Double(news.allBytes - news.bytes) / rate))) left")
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
