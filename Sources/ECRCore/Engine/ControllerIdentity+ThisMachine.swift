import Glibc
import Hashing
import LinuxSystem
package import RemoteJobs

extension ControllerIdentity {
    /// This machine's id and user, hashed: enough to tell controllers apart, nothing more.
    package static var thisMachine: ControllerIdentity {
        let machine = (try? FileSystem.read("/etc/machine-id")) ?? Array(Host.name.utf8)
        let id = SHA256.hexDigest(of: machine + Array("\(getuid())".utf8)).prefix(16)
        return ControllerIdentity(id: String(id), name: "\(Host.userName)@\(Host.name)")
    }
}
