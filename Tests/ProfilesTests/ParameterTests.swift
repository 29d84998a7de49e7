@testable import Profiles
import Testing

private let text = """
    name: n
    connection: {host: h, env: {A: conn, B: conn}}
    parameters:
      model: {default: resnet50, choices: [resnet50, mobilenet]}
      batch: {type: int, min: 1, max: 64}
      other: {default: x}
    actions:
      a:
        commands: ["run {model} {batch} {free}"]
        workdir: "/opt/{model}"
        env: {B: "b-{free}", C: c}
        artifacts: ["/tmp/{free}/*.csv", {path: /x, allow_old: true, required: true}]
      b: {commands: ["date"]}
    background_collectors:
      c: {command: "sample {rate}", interval: 1, env: {A: "{model}"}}
    """

@Suite struct ParameterTests {
    private func values(
        _ given: [(String, String)], standing: [(String, String)] = [], action: String = "a"
    ) throws -> [String] {
        let profile = try parse(text)
        let action = try #require(profile.action(named: action))
        do {
            return try profile.parameters(for: action, given: given, standing: standing).all.map {
                "\($0.name)=\($0.value)"
            }
        } catch {
            return error.message.split(separator: "\n").map(String.init)
        }
    }

    private func standing(_ given: [(String, String)]) throws -> String {
        let profile = try parse(text)
        do {
            try profile.checkStanding(given)
            return ""
        } catch {
            return error.message
        }
    }

    @Test func takesTheNearestValue() throws {
        #expect(try values([("batch", "8"), ("free", "f")]) == ["model=resnet50", "batch=8", "other=x", "free=f"])
        #expect(
            try values(
                [("batch", "8")], standing: [("batch", "9"), ("free", "f"), ("rate", "1"), ("model", "mobilenet")])
                == ["model=mobilenet", "batch=8", "other=x", "free=f"])
        #expect(try values([], action: "b") == ["model=resnet50", "other=x"])
    }

    @Test func reportsAllProblemsTogether() throws {
        #expect(
            try values([("modle", "x"), ("model", "resnet5"), ("free", "-n"), ("free", "2")]) == [
                "action 'a' has no parameter 'modle'; did you mean 'model'?",
                "parameter 'model' must be one of resnet50, mobilenet, not 'resnet5'; did you mean 'resnet50'?",
                "parameter 'free' must not start with '-', as '-n' does (its declaration may say 'allow: [leading_dash]'); give it with -p free=VALUE",
                "parameter 'free' is given twice; give it once",
                "action 'a' needs the parameter 'batch' (int); give it with -p batch=VALUE",
            ])
        #expect(
            try values([("zzzz", "1")], action: "b") == [
                "action 'b' has no parameter 'zzzz'; parameters: model, batch, other"
            ])
        #expect(
            try values([("free", "f")], standing: [("batch", "x")]) == [
                "parameter 'batch' must be a whole number, not 'x'; give it with -p batch=VALUE"
            ])
    }

    @Test(arguments: [
        ("batch", "0", "must be at least 1, not 0"), ("batch", "65", "must be at most 64, not 65"),
        ("batch", "1.0", "must be a whole number, not '1.0'"),
        ("batch", "", "must be a whole number, not ''"),
        ("free", "a\nb", "must not contain a line break (its declaration may say 'allow: [newline]')"),
        ("free", "a\0b", "must not contain NUL"),
        ("free", "-", "must not start with '-', as '-' does (its declaration may say 'allow: [leading_dash]')"),
    ])
    func checksValues(name: String, value: String, message: String) throws {
        #expect(try standing([(name, value)]) == "parameter '\(name)' \(message); give it with -p \(name)=VALUE")
    }

    @Test func checksStandingValuesAgainstTheWholeProfile() throws {
        #expect(try standing([("rate", "1"), ("free", "x"), ("model", "mobilenet")]) == "")
        #expect(try standing([("rat", "1")]) == "the profile 'n' has no parameter 'rat'; did you mean 'rate'?")
    }

    @Test func checksEveryType() throws {
        let cases: [(type: ParameterDeclaration.Kind, good: [String], bad: [String])] = [
            (.string, ["", "a b", "é"], ["-a", "a\nb", "\0"]),
            (.int, ["-5", "+5", "007"], ["", "5.0", "0x1", "1e3", "99999999999999999999"]),
            (.float, ["-1.5", "1e3", "2"], ["", "inf", "nan", "1e999", "0x1p3"]),
            (.bool, ["true", "false"], ["yes", "True", ""]),
            (.path, ["/a b", "~/x"], ["", "-x"]), (.words, ["", "a b"], ["a -b", "-a"]),
        ]
        for (type, good, bad) in cases {
            let declaration = ParameterDeclaration(name: "p", type: type)
            for value in good { #expect(declaration.objection(to: value) == nil, "\(type) \(value)") }
            for value in bad { #expect(declaration.objection(to: value) != nil, "\(type) \(value)") }
        }
    }

    /// Swift takes both spellings of `é` for the same text; a target does not.
    @Test func comparesChoicesByBytes() {
        let declaration = ParameterDeclaration(name: "p", choices: ["\u{E9}"])
        #expect(declaration.objection(to: "\u{E9}") == nil)
        #expect(declaration.objection(to: "e\u{301}") != nil)
    }

    @Test func preparesActions() throws {
        let profile = try parse(text)
        let values = try profile.parameters(
            for: profile.actions[0], given: [("batch", "8"), ("free", "it's *")], standing: [])
        let prepared = profile.prepare(profile.actions[0], with: values)
        #expect(prepared.commands == ["run 'resnet50' '8' 'it'\\''s *'"])
        #expect(prepared.workdir == "/opt/resnet50")
        #expect(
            prepared.environment.map { "\($0.name)=\($0.value)" } == [
                "A=conn", "B=b-it's *", "C=c", "ECR_PARAM_MODEL=resnet50", "ECR_PARAM_BATCH=8", "ECR_PARAM_OTHER=x",
                "ECR_PARAM_FREE=it's *",
            ])
        #expect(
            prepared.artifacts == [
                PreparedArtifact(pattern: "/tmp/it's \\*/*.csv", allowOld: false, required: false),
                PreparedArtifact(pattern: "/x", allowOld: true, required: true),
            ])
    }

    @Test func preparesCollectors() throws {
        let profile = try parse(text)
        let values = try profile.parameters(for: profile.collectors[0], standing: [("rate", "5;")])
        let prepared = profile.prepare(profile.collectors[0], with: values)
        #expect(prepared.command == "sample '5;'")
        #expect(prepared.environment.first { $0.name == "A" }?.value == "resnet50")
        #expect(
            throws: ParameterError(problems: ["collector 'c' needs the parameter 'rate'; give it with -p rate=VALUE"])
        ) {
            try profile.parameters(for: profile.collectors[0], standing: [])
        }
    }
}
