import JSON
import Testing

@testable import Profiles

@Suite struct SecretTests {
    private static let text = """
        name: n
        connection:
          host: h
          password: {secret: env:BOARD_PASSWORD}
          sudo_password: {secret: env:BOARD_SUDO}
          env: {ALL: {secret: env:SHARED_TOKEN}, PLAIN: "{braces} stay"}
        actions:
          a: {commands: ['x {p}'], env: {TOKEN: {secret: "env:API_TOKEN"}, ALL: mine, P: '{p}'}}
        background_collectors:
          c: {stream: x, env: {TOKEN: {secret: env:API_TOKEN}}}
        """

    @Test func areNamedWithTheirUse() throws {
        let profile = try parse(Self.text)
        #expect(
            profile.secrets.map { "\($0.variable) \($0.use)" } == [
                "BOARD_PASSWORD connection: password", "BOARD_SUDO connection: sudo_password",
                "SHARED_TOKEN 'connection': env: ALL", "API_TOKEN action 'a': env: TOKEN",
                "API_TOKEN collector 'c': env: TOKEN",
            ])
    }

    @Test func comeIntoTheEnvironmentOnly() throws {
        let profile = try parse(Self.text)
        let secrets = ["API_TOKEN": "api {p}", "SHARED_TOKEN": "shared"]
        let action = try #require(profile.action(named: "a"))
        let values = try profile.parameters(for: action, given: [("p", "1")], standing: [])
        let environment = profile.prepare(action, with: values, secrets: secrets).environment
        #expect(
            environment.map { "\($0.name)=\($0.value)" } == [
                "PLAIN={braces} stay", "TOKEN=api {p}", "ALL=mine", "P=1", "ECR_PARAM_P=1",
            ])
        #expect(
            profile.environmentOfExec(secrets: secrets).map { "\($0.name)=\($0.value)" } == [
                "ALL=shared", "PLAIN={braces} stay",
            ])
    }

    @Test func areResolvedAsTheyAreWritten() throws {
        let resolved = try parse(Self.text).resolved
        #expect(resolved["connection"]?["password"] == ["secret": "env:BOARD_PASSWORD"])
        #expect(resolved["connection"]?["sudo_password"] == ["secret": "env:BOARD_SUDO"])
        #expect(resolved["actions"]?["a"]?["env"]?["TOKEN"] == ["secret": "env:API_TOKEN"])
        #expect(resolved["background_collectors"]?["c"]?["env"]?["TOKEN"] == ["secret": "env:API_TOKEN"])
    }
}
