import Glibc
import LinuxSystem
import RemoteJobs
import RunStore

/// Many small files, which come in an archive.
extension PullBatch {
    /// Origin: larger files gain nothing from an archive, and a cut in them is taken up again from where it was.
    private static let smallSize: UInt64 = 8 << 20
    /// What is smaller is written where it belongs before it is on record. Origin: a rename takes longer than writing so
    /// much; and so much is soon here again after a cut.
    private static let briefSize: UInt64 = 256 << 10
    /// Origin: an archive and its hashes cost two channels, three files by SFTP not more.
    private static let fewFiles = 4

    func mayArchive(_ files: [RemoteFile]) -> Bool {
        guard line.tools.hasTar else { return false }
        return method == .tar || method == nil && files.count(where: isForArchive) >= Self.fewFiles
    }

    private func isForArchive(_ file: RemoteFile) -> Bool {
        method == .tar || file.size < Self.smallSize && !file.isOfTheKernel
    }

    /// - Returns: what must be fetched by itself.
    mutating func fetchArchive(
        _ files: [RemoteFile], _ progress: TransferProgress, _ report: Report
    ) async throws -> [RemoteFile] {
        let small = files.filter(isForArchive)
        var parcel = Parcel(small, places: small.map { $0.size < Self.briefSize ? places.take(for: $0) : nil })
        do { try await fetch(&parcel, progress, report) } catch {
            await vacate(parcel)
            throw error
        }
        await vacate(parcel)
        return files.filter { !isForArchive($0) } + zip(small, parcel.isHere).filter { !$1 }.map(\.0)
    }

    /// The files of an archive.
    private struct Parcel {
        let files: [RemoteFile]
        /// Where brief ones are written at once, relative to the run directory; the others have parts.
        let places: [String?]
        var isHere: [Bool]

        init(_ files: [RemoteFile], places: [String?]) {
            self.files = files
            self.places = places
            isHere = [Bool](repeating: false, count: files.count)
        }
    }

    private mutating func fetch(_ parcel: inout Parcel, _ progress: TransferProgress, _ report: Report) async throws {
        let (root, parts) = (journal.directory.path, parts)
        let patience = Patience(bytes: Self.sliceBytes)
        let archive = try await ArchiveTransfer(
            parcel.files, over: line, worker: worker,
            to: zip(parcel.files, parcel.places).map { file, place in
                place.map { "\(root)/\($0)" } ?? Self.part(of: file, in: parts)
            },
            progress: {
                patience.renew()
                progress.tell(files: $0, bytes: $1)
            })
        defer { progress.endArchive() }
        do { try await record(archive, &parcel, patience, progress, report) } catch {
            await archive.close()
            throw error
        }
        await archive.close()
    }

    /// While what has come is recorded, the next is on its way.
    private mutating func record(
        _ archive: ArchiveTransfer, _ parcel: inout Parcel, _ patience: Patience, _ progress: TransferProgress,
        _ report: Report
    ) async throws {
        let began = Clock.boottimeNanoseconds()
        let ahead = {
            Task {
                try await patience.whileWaiting {
                    try await archive.next(files: Self.sliceFiles, bytes: Self.sliceBytes)
                }
            }
        }
        var next = ahead()
        do {
            while case let arrived = try await next.attachedValue, !arrived.isEmpty {
                next = ahead()
                let seconds = Double(Clock.boottimeNanoseconds() - began) / 1e9
                let sound = arrived.filter { isSound($0, parcel.files[$0.place]) }
                for one in sound { parcel.isHere[one.place] = true }
                let arrivals = sound.map { one in
                    Arrival(
                        parcel.files[one.place], one.file, remote: one.remoteSHA256, seconds,
                        place: parcel.places[one.place])
                }
                try await commit(arrivals, progress, report)
            }
        } catch let failure as TransferFailure where failure.isStall {
            // One of them hangs: whoever fetches it by itself finds out which.
        } catch {
            next.cancel()
            throw error
        }
    }

    /// What differs has changed meanwhile, or is one of the kernel's texts, which have no size beforehand.
    private func isSound(_ arrived: ArchiveTransfer.Arrived, _ file: RemoteFile) -> Bool {
        line.tools.canHash ? arrived.remoteSHA256 == arrived.file.sha256 : UInt64(arrived.file.size) == file.size
    }

    /// What has not come, or not whole, leaves its place to another attempt.
    private mutating func vacate(_ parcel: Parcel) async {
        let empty = zip(parcel.places, parcel.isHere).compactMap { $1 ? nil : $0 }
        for place in empty { places.release(place) }
        let root = journal.directory.path
        try? await worker.run { for place in empty { unlink("\(root)/\(place)") } }
    }
}
