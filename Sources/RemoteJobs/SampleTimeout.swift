/// What a target can keep of a collector's `timeout:`.
///
/// Where there is `setsid`, a sample is a process group of its own: TERM goes to all of it, KILL two seconds later. So a
/// child that holds the output open is ended as well, which BusyBox's timeout(1) leaves alone. The guard is a member of the
/// group, and says every second that it is there: it ends the group, too, when the sampler has ended. What is left of a
/// group is killed when its command has ended.
///
/// Measured: 6.1 ms a sample in place of 3.0, by timeout(1) 4.5.
package struct SampleTimeout: Sendable, Equatable {
    enum Keeper: Sendable, Equatable {
        case group
        /// timeout(1), which does whole seconds.
        case program
    }

    /// What is kept.
    package let seconds: Double
    let keeper: Keeper

    /// - Returns: nil where the target has nothing to keep it with.
    package init?(_ wanted: Double, tools: Set<String>) {
        let isGroup = tools.contains("setsid")
        guard isGroup || tools.contains("timeout") else { return nil }
        let isWhole = !isGroup || !tools.contains("fractional-sleep")
        seconds = isWhole ? max(1, wanted.rounded(.up)) : max(0.01, wanted)
        keeper = isGroup ? .group : .program
    }

    /// The words behind `timeout`.
    var words: String { String(Int(exactly: seconds.rounded(.up)) ?? Int(Int32.max)) }

    /// The group leader's text; `$0` is the command. Its status goes to descriptor 3, 124 where the time was over.
    ///
    /// The leader kills its own group once the status is told: the guard's `sleep` must not stay behind.
    var guarded: String {
        let naps = max(1, seconds.rounded(.up))
        let nap = seconds.rounded(.up) == seconds ? "1" : Self.decimal(seconds / naps)
        return #"""
            ( trap "" PIPE TERM; i=0; while [ $i -lt \#(Int(exactly: naps) ?? Int(Int32.max)) ]; do sleep \#(nap); echo >&3 || break; i=$((i+1)); done
            echo 124 >&3; exec 3>&-; kill -TERM 0; sleep 2; kill -KILL 0 ) >/dev/null 2>&1 4>&- &
            sh -c "$0" 2>&1 3>&- 4>&-; echo $? >&3; kill -KILL 0
            """#
    }

    /// Thousandths of a second, as a shell's word.
    private static func decimal(_ value: Double) -> String {
        let thousandths = Int((value * 1000).rounded(.up))
        return "\(thousandths / 1000).\(String(1000 + thousandths % 1000).dropFirst())"
    }
}
