extension Task where Failure == any Error {
    /// The value, as of a child: where whoever waits for it is cancelled, so is this task.
    var attachedValue: Success {
        get async throws {
            try await withTaskCancellationHandler {
                try await value
            } onCancel: {
                cancel()
            }
        }
    }
}
