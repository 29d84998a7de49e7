/// The relation of the target's clocks to the controller's, with the bounds that the exchanges have reached.
package struct ClockReading: Sendable, Equatable {
    /// Target wall clock minus controller wall clock, in seconds; nil where the target's `date` gives none.
    package var offset: Double?
    /// Of the offset: half the shortest round trip at most, plus what is left of the resolution of the target's `date`, and
    /// what clocks may drift apart during the exchanges.
    package var uncertainty: Double
    /// Of the shortest exchange.
    package var roundTrip: Double
    /// Controller wall microseconds at the target's boottime zero: adds to an uptime to give UTC.
    package var boottimeZero: Int64
    /// Of that, in seconds.
    package var zeroUncertainty: Double
    package var targetUptime: Double
    /// Seconds: in what steps the target's `date` goes.
    package var resolution: Double?

    package init(
        offset: Double?, uncertainty: Double, roundTrip: Double, boottimeZero: Int64, zeroUncertainty: Double = 0,
        targetUptime: Double, resolution: Double? = nil
    ) {
        self.offset = offset
        self.uncertainty = uncertainty
        self.roundTrip = roundTrip
        self.boottimeZero = boottimeZero
        self.zeroUncertainty = zeroUncertainty
        self.targetUptime = targetUptime
        self.resolution = resolution
    }
}
