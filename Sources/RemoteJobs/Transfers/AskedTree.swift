/// The part of the target's files that a pattern asks for: links that lead out of it are not followed.
///
/// It is the folder that the pattern names, or the one before its first wildcard, with its own links resolved, since the
/// user wrote them. A link that is found in it counts by where it leads, whether it is a file or a folder on the way to one:
/// of `/data/*/x`, what lies behind `/data/evil -> /etc` is refused. In `/sys` the tree is all of `/sys`: its classes are
/// folders of links to the devices, which the kernel makes, so that `/sys/class/net/*/address` could find nothing else.
struct AskedTree: Sendable, Equatable {
    /// With slashes at their ends.
    private let folder: [UInt8]
    private let prefix: [UInt8]

    private static let devices = Array("/sys/".utf8)

    /// - Parameter folder: a real path.
    init(_ folder: [UInt8]) {
        self.folder = folder.last == UInt8(ascii: "/") ? folder : folder + [UInt8(ascii: "/")]
        prefix = self.folder.starts(with: Self.devices) ? Self.devices : self.folder
    }

    /// - Parameter path: a real path.
    func holds(_ path: [UInt8]) -> Bool { (path + [UInt8(ascii: "/")]).starts(with: prefix) }

    /// Whether what is in a directory comes by its own name, so that a link to it need not bring it.
    /// - Parameters:
    ///   - directory: a real path.
    ///   - pattern: what the folder was taken from.
    func brings(_ directory: [UInt8], for pattern: GlobPattern) -> Bool {
        let path = directory + [UInt8(ascii: "/")]
        guard path.starts(with: folder) else { return false }
        let asked = pattern.literal ?? pattern.fixedFolder
        return pattern.means(asked + [UInt8(ascii: "/")] + path.dropFirst(folder.count))
    }

    static let strayReason = "a link that leads out of the folder"

    /// - Parameter target: what the link says; nil where it cannot be read.
    static func deadReason(_ target: [UInt8]?) -> String {
        let place = target.map { ", to \(String(decoding: $0, as: UTF8.self))" } ?? ""
        return "a link that leads nowhere\(place)"
    }

    // MARK: The kernel's own

    /// Whether this folder is left out where the whole system is asked for: what the kernel makes up in it has no end, its
    /// sizes are no sizes, and some of it blocks whoever reads it. Who wants it names it.
    static func isKernels(_ path: [UInt8]) -> Bool { kernelFolders.contains(path) }

    static let kernelFolders = [Array("/proc".utf8), Array("/sys".utf8)]

    static let kernelsReason = "the kernel's own files come only where the name begins there"

    // MARK: By a shell

    /// A script for a POSIX shell: of the names behind the fixed folder, its first argument, it prints those that are in
    /// the tree, a NUL behind each; for those that are not, once, the link by which they were found. It starts no program.
    static let filter = #"""
        ecr_t=$1; shift; ! cd -P -- "$ecr_t/." || ecr_t=${PWD%/}; case $ecr_t/ in /sys/*) ecr_t=/sys;; esac
        ecr_d=/ ecr_w=0 ecr_p=
        ecr_i() { if [ "$1" != "$ecr_d" ]; then ecr_d=$1 ecr_w=0
        ! cd -P -- "$1/." || case ${PWD%/}/ in "$ecr_t"/*) ;; *) ecr_w=1;; esac; fi; return $ecr_w; }
        for ecr_f; do until ecr_i "${ecr_f%/*}"; do ecr_f=${ecr_f%/*}; done
        [ "$ecr_f" = "$ecr_p" ] || { ecr_p=$ecr_f; printf '%s\0' "$ecr_f"; }; done
        """#
}
