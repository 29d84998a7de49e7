import RemoteJobs

extension Target {
    /// What an operator should know of a line of its own for files; what holds for the whole connection is told with that.
    func warning(of line: TransferLine) async -> String? {
        guard line.isSFTPHanging, !isSFTPHanging else { return nil }
        return "the target's SFTP server hangs on a second connection: its files go by other ways, which are slower"
    }
}
