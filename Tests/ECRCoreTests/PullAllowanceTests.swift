import Profiles
import RunStore
import TestSupport
import Testing

@testable import ECRCore
@testable import RemoteJobs

/// What may come in one pull, entry by entry.
@Suite struct PullAllowanceTests {
    /// - Parameter change: to settings without limits.
    private func allowance(free: Int64 = .max, _ change: (inout TransferSettings) -> Void) -> PullAllowance {
        var settings = TransferSettings()
        settings.minFreeDisk = 0
        change(&settings)
        return PullAllowance(PullPolicy(settings, RunDirectory(path: "/runs/it's"), "p.yaml"), free: free)
    }

    private func entry(_ sizes: UInt64..., isCut: Bool = false) -> Expansion {
        var expansion = Expansion()
        expansion.files = sizes.enumerated().map { place, size in
            RemoteFile(
                path: Array("/f\(place)".utf8), relative: [0x66], size: size, modificationTime: 0, permissions: 0o644,
                version: nil, boot: nil)
        }
        expansion.isCut = isCut
        return expansion
    }

    private func refusal(
        _ allowance: inout PullAllowance, _ entry: Expansion, kept: Int64 = 0, held: PullAllowance.Share? = nil
    ) -> TransferFailure? {
        do {
            _ = try allowance.take(entry, kept: kept, held: held)
            return nil
        } catch { return error }
    }

    @Test func filesAreCountedOverAllEntriesUpToTheLimit() throws {
        var allowance = allowance { $0.mostFiles = 3 }
        #expect(try allowance.take(entry(1, 1), kept: 0, held: nil) == .init(files: 2, bytes: 2))
        let refused = refusal(&allowance, entry(1, 1))
        #expect(
            refused?.reason == "more than 3 files, with the 2 of the entries before it, as transfers.max_files allows")
        #expect(
            refused?.hint
                == "pull a part of it; or start a run with a larger `transfers: {max_files: …}` in p.yaml")
        // What was refused has no share: what fits comes.
        #expect(refusal(&allowance, entry(1)) == nil)
        #expect(refusal(&allowance, entry(1)) != nil)
    }

    @Test func aListingThatWasCutIsTooMuchWhateverItNames() {
        var limited = allowance { $0.mostFiles = 3 }
        #expect(refusal(&limited, entry(1, isCut: true))?.reason == "more than 3 files, as transfers.max_files allows")
    }

    @Test func bytesAreCountedOverAllEntriesUpToTheLimit() throws {
        var allowance = allowance { $0.mostBytes = 100 }
        _ = try allowance.take(entry(60), kept: 0, held: nil)
        let refused = refusal(&allowance, entry(30, 11))
        #expect(
            refused?.reason
                == "41 B, with 60 B of the entries before it, more than the 100 B of transfers.max_bytes in the profile"
        )
        #expect(refusal(&allowance, entry(40)) == nil)
        // What has no bytes is never too many.
        #expect(refusal(&allowance, entry(0, 0)) == nil)
        #expect(refusal(&allowance, entry(1)) != nil)
    }

    /// What an earlier attempt has left counts for the limits, but has its room on the disk already.
    @Test func partsThatAreHereNeedNoRoom() throws {
        var room = allowance(free: 1000) { $0.minFreeDisk = 100 }
        let refused = refusal(&room, entry(901))
        #expect(
            refused?.reason
                == "901 B would leave less than 100 B free on the disk of the runs directory, which has 1000 B; "
                + "transfers.min_free_disk in the profile asks for that")
        #expect(refused?.isLocal == true)
        #expect(
            refused?.hint?.hasPrefix(#"df -h '/runs/it'\''s', and make room; or start a run with a smaller "#) == true)
        #expect(refusal(&room, entry(901), kept: 1) == nil)
        // All room is given away by now.
        #expect(refusal(&room, entry(1)) != nil)
        #expect(refusal(&room, entry(50), kept: 50) == nil)

        var bytes = allowance { $0.mostBytes = 100 }
        #expect(refusal(&bytes, entry(101), kept: 100) != nil)
    }

    @Test func aDiskThatHasLessThanItMustKeepTakesNothing() {
        var allowance = allowance(free: 10) { $0.minFreeDisk = 100 }
        #expect(refusal(&allowance, entry(1)) != nil)
        #expect(refusal(&allowance, entry(0)) == nil)
    }

    /// After a break of the link an entry has its share already, and what has come of it since is not asked for again.
    @Test func whoeverHoldsAShareIsNotRefusedTheRestOfIt() throws {
        var allowance = allowance {
            $0.mostFiles = 4
            $0.mostBytes = 100
        }
        let share = try allowance.take(entry(40, 40), kept: 0, held: nil)
        #expect(try allowance.take(entry(40), kept: 10, held: share) == share)
        #expect(refusal(&allowance, entry(21)) != nil)
        // It has grown meanwhile: that is another question, in which its old share does not count.
        #expect(try allowance.take(entry(40, 60), kept: 0, held: share) == .init(files: 2, bytes: 100))
        #expect(refusal(&allowance, entry(1)) != nil)
    }

    @Test func sizesThatNoDiskHasAreTooMuch() throws {
        var unlimited = allowance(free: 1000) { _ in }
        #expect(refusal(&unlimited, entry(.max)) != nil)
        #expect(refusal(&unlimited, entry(.max, .max)) != nil)
        #expect(refusal(&unlimited, entry(1 << 63, 1 << 63)) != nil)
        var roomy = allowance { _ in }
        for _ in 1...3 { _ = try? roomy.take(entry(UInt64(Int64.max)), kept: 0, held: nil) }
        #expect(refusal(&roomy, entry(1)) != nil)
    }
}
