import SSH

/// What became of a file while it was read, as far as a look at its name shows afterwards.
package enum FileChange: Sendable, Equatable {
    /// It is longer than it was.
    case grown
    /// Nothing of its name is there.
    case removed
    /// Its name stands for another file.
    case replaced
    /// It was written to, or cut.
    case rewritten
}

extension FileChange {
    /// What a shell has seen; nil where it is as it was.
    init?(of file: RemoteFile, now name: ListedName) {
        guard name.kind == .regular else {
            self = .replaced
            return
        }
        let isAsLong = name.size == file.size
        if let now = name.version.map(Version.init), let then = file.version.map(Version.init) {
            // A new mode, owner or link is no change of it; and some file systems number their files as it comes.
            if isAsLong, now.content == then.content, now.place == then.place || now.status == then.status {
                return nil
            }
            if now.place != then.place {
                self = .replaced
                return
            }
        } else if isAsLong, file.isOf(time: name.modificationTime) {
            return nil
        }
        self = name.size > file.size ? .grown : .rewritten
    }

    /// The parts of a version: device and inode, and the times of content and status.
    private struct Version {
        let place: ArraySlice<Substring>
        let content: Substring?
        let status: Substring?

        init(_ text: String) {
            let parts = text.split(separator: ":")
            place = parts.dropLast(2)
            content = parts.dropLast().last
            status = parts.last
        }
    }

    /// What an SFTP server has seen: what the name stands for, and then what was read. It tells no inodes, so that the two are
    /// told apart by their sizes and times.
    init?(of file: RemoteFile, now look: SFTPLook) {
        if look.isGone {
            self = .removed
            return
        }
        guard let name = look.name, let size = name.size, let time = name.modificationTime else { return nil }
        if size == file.size, file.isOf(time: time) { return nil }
        let isOther =
            look.own.map { own in
                let length = own.size ?? size
                let isAsItWas = length == file.size && own.modificationTime.map(file.isOf) ?? false
                return isAsItWas || length < size || size < file.size && length >= file.size
            } ?? false
        self = isOther || !name.isRegular ? .replaced : size > file.size ? .grown : .rewritten
    }
}

extension RemoteFile {
    /// Whether that is its time, as far as all ways tell it alike: they don't before 1970, nor beyond 32 bits.
    fileprivate func isOf(time: UInt32) -> Bool {
        modificationTime == time || [0, .max].contains(modificationTime)
    }
}
