import CLibSSH
import LinuxSystem

/// A key that a file names: a private key, or a public one whose private half the agent has.
struct FileKey {
    let path: String
    /// In its wire format; nil where it cannot be read without the passphrase.
    let publicBlob: [UInt8]?
    /// The certificate beside it.
    let certificate: Certificate?

    init(path: String) {
        self.path = path
        publicBlob = FileKey.publicBlob(path) ?? FileKey.publicBlob("\(path).pub")
        certificate = Certificate(path: "\(path)-cert.pub")
    }

    /// Origin: the order of ssh(1), newest first, without the types that need hardware or are no longer offered.
    static var usualFiles: [String] {
        ["id_ed25519", "id_ecdsa", "id_rsa"].map { FileSystem.expandingTilde("~/.ssh/\($0)") }
    }

    /// OpenSSH's format of private keys shows the public half without a passphrase.
    private static func publicBlob(_ path: String) -> [UInt8]? {
        var key: ssh_key?
        guard FileSystem.exists(path), ssh_pki_import_pubkey_file(path, &key) == SSH_OK, let key else { return nil }
        defer { ssh_key_free(key) }
        return Base64.decode(HostKey(key).base64)
    }
}
