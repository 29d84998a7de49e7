import LinuxSystem

/// Keeps uploads that go into one place at the same time from one another's temporary names: each has a lane of its own.
///
/// The lowest free one, so that an upload that is begun anew, after a cut or by another supervisor, comes upon what it has
/// left there. Thread-safe.
final class UploadLanes: Sendable {
    private let taken = Locked<[String: Set<Int>]>([:])

    /// - Parameter place: whose upload goes where.
    func take(_ place: String) -> UploadLane {
        let number = taken.withLock { taken in
            let number = (0...).first { taken[place]?.contains($0) != true } ?? 0
            taken[place, default: []].insert(number)
            return number
        }
        return UploadLane(self, place, number)
    }

    fileprivate func free(_ place: String, _ number: Int) {
        taken.withLock { taken in
            taken[place]?.remove(number)
            if taken[place]?.isEmpty == true { taken[place] = nil }
        }
    }
}

/// Free for others with its last reference.
final class UploadLane: Sendable {
    let place: String
    let number: Int
    private let lanes: UploadLanes

    fileprivate init(_ lanes: UploadLanes, _ place: String, _ number: Int) {
        self.lanes = lanes
        self.place = place
        self.number = number
    }

    deinit { lanes.free(place, number) }
}
