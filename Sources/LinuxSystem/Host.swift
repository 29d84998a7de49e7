import CLinux
import Glibc

/// What is known about the controller and this process.
package enum Host {
    /// An environment variable; an empty one counts as unset.
    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value[0] != 0 else { return nil }
        return String(cString: value)
    }

    package static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, 255)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package static var userName: String {
        if let entry = getpwuid(getuid()) { return String(cString: entry.pointee.pw_name) }
        return String(getuid())
    }

    /// The absolute path of the running executable.
    package static var executablePath: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = clinux_executable_path(&buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Whether the processor has instructions for AES, as both x86 and ARM name them (proc_cpuinfo(5)).
    package static let hasAES: Bool = {
        guard let file = try? File(path: "/proc/cpuinfo", O_RDONLY),
            // Origin: the first processor's lines are shorter.
            let text = try? file.read(at: 0, count: 64 << 10)
        else { return false }
        return text.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }.contains {
            $0.elementsEqual("aes".utf8)
        }
    }()

    /// For a process that lives long. Else each thread has an arena of its own, which keeps what others have freed
    /// (mallopt(3)): a third more memory where files come over several threads.
    package static func shareMemoryArenas() { clinux_share_malloc_arenas(2) }

    /// Bytes from the kernel's generator.
    package static func randomBytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Such bytes as text, two hexadecimal digits each: for names that nobody else has.
    package static func randomHex(_ count: Int) -> String {
        randomBytes(count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
