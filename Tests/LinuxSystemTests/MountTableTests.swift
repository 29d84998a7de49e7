import LinuxSystem
import Testing

@Suite struct MountTableTests {
    /// A Raspberry Pi with a RAM disk, a bind mount below it, and a name with a blank.
    private let pi = MountTable(
        mountinfo: """
            25 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw
            26 25 0:23 / /proc rw shared:2 - proc proc rw
            30 25 0:25 / /tmp rw,nosuid shared:3 - tmpfs tmpfs rw,size=100k
            31 30 179:2 /keep /tmp/keep rw shared:1 - ext4 /dev/root rw
            40 25 8:1 / /mnt/my\\040disk rw - vfat /dev/sda1 rw
            41 25 0:40 / /mnt/net ro - nfs4 nas:/x rw
            torn line
            """)

    @Test(arguments: [
        ("/var/tmp/ecr-0", "/"), ("/tmp", "/tmp"), ("/tmp/ecr-0", "/tmp"), ("/tmpfile", "/"),
        ("/tmp/keep/x", "/tmp/keep"), ("/mnt/my disk/x", "/mnt/my disk"), ("/", "/"),
    ]) func theDeepestMountCounts(path: String, point: String) {
        #expect(pi.mount(of: path)?.point == point)
    }

    @Test func aMountHasItsFields() {
        let mount = pi.mount(of: "/mnt/net/x")
        #expect(mount?.isReadOnly == true)
        #expect(mount?.type == "nfs4")
        #expect(mount?.source == "nas:/x")
        #expect(pi.mount(of: "/")?.device == "179:2")
        #expect(pi.mounts.count == 6)
    }

    @Test func theBlockDeviceTellsFlashFromDisk() {
        #expect(pi.storage(of: "/var/tmp", block: "mmcblk0p2") == .flash)
        #expect(pi.storage(of: "/var/tmp", block: "sda2") == .disk)
        #expect(pi.storage(of: "/var/tmp") == .disk)
        #expect(pi.storage(of: "/tmp/x") == .memory)
        #expect(pi.storage(of: "/mnt/net") == .network)
    }

    @Test func laterMountsCoverEarlierOnes() {
        let table = MountTable(
            mountinfo: """
                1 0 8:1 / / rw - ext4 /dev/sda1 rw
                2 1 0:9 / /data rw - tmpfs a rw
                3 1 8:2 / /data rw - ext4 /dev/sda2 rw
                """)
        #expect(table.storage(of: "/data/x") == .disk)
    }

    /// OpenWrt keeps its changes on flash; a read-only root with its overlay in RAM forgets them; a container cannot see.
    @Test(arguments: [
        ("2 1 0:9 / /overlay rw - jffs2 /dev/mtdblock6 rw", "/overlay/upper", Storage.flash),
        ("2 1 0:9 / /overlay rw - ubifs ubi0_1 rw", "/overlay/upper", .flash),
        ("2 1 0:9 / /media/rw rw - tmpfs tmpfs rw", "/media/rw/upper", .memory),
        ("2 1 0:9 / /proc rw - proc proc rw", "/var/lib/docker/overlay2/x/diff", .unknown),
    ]) func anOverlayIsAsGoodAsItsUpperLayer(below: String, upper: String, storage: Storage) {
        let table = MountTable(
            mountinfo: below + "\n3 1 0:12 / / rw - overlay overlay rw,lowerdir=/rom,upperdir=\(upper),workdir=/w\n")
        #expect(table.storage(of: "/var/tmp/ecr-0") == storage)
    }

    @Test func whatSurvivesAReboot() {
        #expect(Storage.memory.survivesReboot == false)
        #expect(Storage.flash.survivesReboot == true)
        #expect(Storage.unknown.survivesReboot == nil)
        #expect(MountTable(mountinfo: "").storage(of: "/") == .unknown)
    }

    @Test func thisMachineHasARoot() throws {
        let text = String(decoding: try FileSystem.read("/proc/self/mountinfo"), as: UTF8.self)
        #expect(MountTable(mountinfo: text).mount(of: "/")?.point == "/")
    }
}
