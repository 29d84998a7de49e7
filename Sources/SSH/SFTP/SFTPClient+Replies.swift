/// What the replies mean for the questions that were asked.
extension SFTPClient {
    private static let endOfFile: UInt32 = 1

    func confirm(_ reply: SFTPReply, _ operation: String, _ path: [UInt8]? = nil) throws(SSHError) {
        guard case .status(0, _) = reply else { throw refusal(reply, operation, path) }
    }

    func handle(_ reply: SFTPReply, _ operation: String, _ path: [UInt8]) throws(SSHError) -> [UInt8] {
        guard case .handle(let bytes) = reply else { throw refusal(reply, operation, path) }
        return bytes
    }

    func attributes(
        _ reply: SFTPReply, _ operation: String, _ path: [UInt8]?
    ) throws(SSHError) -> SFTPAttributes {
        guard case .attributes(let attributes) = reply else { throw refusal(reply, operation, path) }
        return attributes
    }

    func singleName(_ reply: SFTPReply, _ operation: String, _ path: [UInt8]) throws(SSHError) -> [UInt8] {
        guard case .names(let entries) = reply, entries.count == 1 else { throw refusal(reply, operation, path) }
        return entries[0].name
    }

    /// nil at the directory's end.
    func entryBatch(_ reply: SFTPReply, _ path: [UInt8]) throws(SSHError) -> [SFTPEntry]? {
        if case .status(SFTPClient.endOfFile, _) = reply { return nil }
        guard case .names(let entries) = reply else { throw refusal(reply, "list", path) }
        return entries
    }

    /// Empty at the end of the file.
    func content(of reply: SFTPReply, limit: UInt32) throws(SSHError) -> [UInt8] {
        if case .status(SFTPClient.endOfFile, _) = reply { return [] }
        guard case .data(let bytes) = reply else { throw refusal(reply, "read", nil) }
        guard bytes.count <= limit else {
            throw SSHError(
                .protocolViolation, "the SFTP server has sent \(bytes.count) bytes where \(limit) were asked")
        }
        return bytes
    }

    private func refusal(_ reply: SFTPReply, _ operation: String, _ path: [UInt8]?) -> SSHError {
        let what = path.map { "\(operation) \(String(decoding: $0, as: UTF8.self))" } ?? "\(operation) a remote file"
        guard case .status(let code, let message) = reply, code != 0 else {
            return SSHError(.protocolViolation, "cannot \(what): the SFTP server has sent an answer of the wrong kind")
        }
        return SSHError(.sftp(code), "cannot \(what): \(message.isEmpty ? "SFTP status \(code)" : message)")
    }
}
