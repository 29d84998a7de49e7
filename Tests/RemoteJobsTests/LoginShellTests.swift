import SSH
import Testing

@testable import RemoteJobs

@Suite struct LoginShellTests {
    private func shell(_ output: String, _ errors: String = "") -> LoginShell {
        LoginShell(output: Array(output.utf8), errors: Array(errors.utf8), token: "ecr-1", exit: .status(0))
    }

    @Test func aQuietOne() {
        #expect(
            shell("ecr-1\n") == LoginShell(output: Array("ecr-1\n".utf8), errors: [], token: "ecr-1", exit: .status(0)))
        #expect(shell("ecr-1\n").isUsable)
        #expect(shell("ecr-1\n").noise == "")
    }

    @Test func oneThatTalks() {
        #expect(shell("\nWelcome\nto us\necr-1\n", "warn\n").noise == "Welcome\nto us\nwarn")
        #expect(shell("Welcome\necr-1\n").isUsable)
    }

    @Test func oneThatDoesNotDoWhatItIsTold() {
        #expect(!shell("This account is closed.\n").isUsable)
        #expect(!shell("echo ecr-1: not found\n").isUsable)
        #expect(!shell("").isUsable)
    }
}
