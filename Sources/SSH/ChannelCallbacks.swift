import CLibSSH

/// libssh's callbacks of a channel. They run on the loop's thread, inside any call of libssh; they copy and set flags
/// and never call libssh.
enum ChannelCallbacks {
    /// Callbacks that point to `channel` without retaining it: the session keeps it until they are removed.
    static func make(for channel: SSHChannel) -> UnsafeMutablePointer<ssh_channel_callbacks_struct> {
        let callbacks = UnsafeMutablePointer<ssh_channel_callbacks_struct>.allocate(capacity: 1)
        callbacks.initialize(to: ssh_channel_callbacks_struct())
        // What the macro ssh_callbacks_init does.
        callbacks.pointee.size = MemoryLayout<ssh_channel_callbacks_struct>.size
        callbacks.pointee.userdata = Unmanaged.passUnretained(channel).toOpaque()
        callbacks.pointee.channel_data_function = { _, _, data, length, isError, user in
            // Unsafe because pointers aren't Sendable; the call below stays on this thread.
            nonisolated(unsafe) let bytes = UnsafeRawBufferPointer(start: data, count: Int(length))
            return ChannelCallbacks.with(user) { Int32($0.receive(bytes, isError: isError != 0)) }
        }
        callbacks.pointee.channel_exit_status_function = { _, _, status, user in
            ChannelCallbacks.with(user) { $0.end(with: .status(status)) }
        }
        callbacks.pointee.channel_exit_signal_function = { _, _, signal, _, _, _, user in
            let name = signal.map { String(cString: $0) } ?? ""
            ChannelCallbacks.with(user) { $0.end(with: .signal(name)) }
        }
        callbacks.pointee.channel_eof_function = { _, _, user in
            ChannelCallbacks.with(user) { $0.outputEnded() }
        }
        callbacks.pointee.channel_close_function = { _, _, user in
            ChannelCallbacks.with(user) { $0.closedByServer() }
        }
        return callbacks
    }

    private static func with<Success>(
        _ user: UnsafeMutableRawPointer?, _ body: @SSHActor (SSHChannel) -> Success
    ) -> Success {
        // Unsafe because pointers aren't Sendable; the call below stays on this thread.
        nonisolated(unsafe) let user = user!
        return SSHActor.assumeIsolated { body(Unmanaged<SSHChannel>.fromOpaque(user).takeUnretainedValue()) }
    }
}
