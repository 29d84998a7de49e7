/// How far apart samples usually are, from the last of them: by that a space in which some are missing is known.
struct SampleSpacing {
    /// The time of the last sample.
    private(set) var last: Double?
    private var spaces: [Double] = []

    /// Origin of 15: enough for a median that a late sample does not move.
    private static let remembered = 15
    /// Origin of 3: before that nobody can say what is usual.
    private static let needed = 3
    /// Origin of 5: samplers of one second on a loaded board are late by two.
    private static let longest = 5.0

    /// Takes the time of the next sample.
    /// - Returns: whether samples are missing in front of it.
    mutating func take(_ time: Double) -> Bool {
        guard let last else {
            self.last = time
            return false
        }
        let space = time - last
        guard space > 0 else { return false }
        self.last = time
        if spaces.count >= Self.needed, space > spaces.sorted()[spaces.count / 2] * Self.longest { return true }
        spaces.append(space)
        if spaces.count > Self.remembered { spaces.removeFirst() }
        return false
    }
}
