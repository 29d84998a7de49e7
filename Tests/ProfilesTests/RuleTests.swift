import Testing
import YAML

@testable import Profiles

@Suite struct RuleTests {
    private static let collectors =
        "{heat: {builtin: temperature}, power: {builtin: power, interval: 500ms}, raw: {command: date, interval: 1}}"

    private func rules(_ text: String) throws -> [Rule] {
        try Profile.parse(
            Array(
                "name: n\nconnection: {host: h}\nbackground_collectors: \(Self.collectors)\nrules:\n  - \(text)\nactions: \(Self.actions)\n"
                    .utf8),
            file: "p.yaml"
        ).rules
    }

    private static let actions =
        """
        {train: {commands: [x], metrics: {loss: {regex: "l=(.*)"}, best: {json: best, from: out.json}}},
          power: {commands: [x], metrics: {total: {regex: "(.)"}, speed: {regex: "(.)", from: stderr}}}, bare: {commands: [x]}}
        """

    private func problems(_ text: String) -> [String] {
        do {
            _ = try rules(text)
            return []
        } catch let error as Diagnostics {
            return error.all.map { "\($0.line):\($0.column): \($0.message)" }
        } catch { return ["\(error)"] }
    }

    @Test func everyKey() throws {
        let rule = try #require(
            try rules(
                "{name: hot, when: \"heat.cpu > 85 and power.gpu >= 5e3\", for: 5s, do: hold, until: heat.cpu<70, max_hold: 10m, note: n}"
            ).first)
        #expect(
            rule.name == "hot" && rule.patience == 5 && rule.deed == .hold && rule.maxHold == 600 && rule.note == "n")
        let (cpu, total) = (
            RuleCondition.Field(.collector("heat"), "cpu"), RuleCondition.Field(.collector("power"), "gpu")
        )
        #expect(rule.when.expression == .all(.comparison(cpu, .more, 85), .comparison(total, .notLess, 5000)))
        #expect(rule.until?.expression == .comparison(cpu, .less, 70))
        let plain = try #require(try rules("{when: \"heat.cpu > 85\"}").first)
        #expect(plain.name == "heat.cpu > 85" && plain.deed == .mark && plain.patience == 0 && plain.until == nil)
    }

    @Test func precedenceAndParentheses() throws {
        let condition = try #require(
            try rules("{when: \"heat.cpu > 1 or heat.gpu > 2 and (heat.soc > 3 || heat.max < -4.5)\"}").first?.when)
        func field(_ name: String) -> RuleCondition.Field { .init(.collector("heat"), name) }
        #expect(
            condition.expression
                == .any(
                    .comparison(field("cpu"), .more, 1),
                    .all(
                        .comparison(field("gpu"), .more, 2),
                        .any(.comparison(field("soc"), .more, 3), .comparison(field("max"), .less, -4.5)))))
        #expect(condition.fields.map(\.name) == ["cpu", "gpu", "soc", "max"])
    }

    @Test func whatIsNotKnownDecidesNothing() throws {
        let condition = try #require(try rules("{when: \"heat.cpu > 1 and heat.gpu > 2\"}").first?.when)
        func field(_ name: String) -> RuleCondition.Field { .init(.collector("heat"), name) }
        #expect(condition.holds([:]) == nil)
        #expect(condition.holds([field("cpu"): 2]) == nil)
        #expect(condition.holds([field("cpu"): 0]) == false)
        #expect(condition.holds([field("cpu"): 2, field("gpu"): 3]) == true)
        #expect(
            condition.shown([field("cpu"): 2, field("gpu"): 3.5], isNegated: false)
                == "heat.cpu 2 > 1, heat.gpu 3.5 > 2")
        let until = try #require(try rules("{when: \"heat.cpu > 1\", until: \"heat.cpu < 70\"}").first?.until)
        #expect(until.shown([field("cpu"): 84], isNegated: true) == "heat.cpu 84 >= 70")
    }

    @Test func mistakesAreToldWithTheirPlace() {
        #expect(
            problems("{when: \"heat.cpuu > 85\"}") == [
                "5:13: 'when': collector 'heat' has no field 'cpuu'; did you mean 'cpu'?"
            ])
        #expect(
            problems("{when: \"heat.cpu > 85 and hat.cpu > 1\"}") == [
                "5:31: 'when': there is no collector or action 'hat'; did you mean 'heat'?"
            ])
        #expect(
            problems("{when: \"raw.cpu > 85\"}") == [
                "5:13: 'when': the samples of collector 'raw' have no fields; write 'parse' there"
            ])
        #expect(
            problems("{when: \"heat.cpu => 85\"}") == [
                "5:22: 'when': '=>' is no comparison; write <, <=, >, >=, == or !="
            ])
        #expect(problems("{when: \"heat.cpu > hot\"}") == ["5:24: 'when': 'hot' is no number"])
        #expect(problems("{when: \"heat.cpu >\"}").map { $0.hasSuffix("a number is missing") } == [true])
        #expect(
            problems("{when: \"heat.cpu > 1 heat.gpu > 2\"}").map { $0.contains("'heat.gpu' is not expected here") }
                == [true])
        #expect(problems("{when: \"(heat.cpu > 1\"}").map { $0.hasSuffix("a ')' is missing") } == [true])
        #expect(
            problems("{when: \"85 > heat.cpu\"}").map {
                $0.hasSuffix("a field is missing; write it as COLLECTOR.FIELD or ACTION.METRIC")
            } == [true])
        #expect(
            problems("{when: \"\(String(repeating: "(", count: 500))\"}").map { $0.contains("too many parentheses") }
                == [true])
        #expect(problems("{do: hold}").map { $0.contains("has no 'when'") } == [true])
        #expect(
            problems("{when: \"heat.cpu > 1\", max_hold: 5}").map { $0.contains("only 'do: hold' takes 'max_hold'") }
                == [true])
        #expect(
            problems("{when: \"heat.cpu > 1\", do: stop}").map {
                $0.contains("must be one of mark, hold, pause, cancel, abort")
            } == [true])
    }

    @Test func metricsOfActions() throws {
        let rule = try #require(try rules("{when: \"train.loss > 10 or train.loss == nan\", do: cancel}").first)
        let loss = RuleCondition.Field(.action("train"), "loss")
        #expect(rule.when.fields == [loss, loss] && rule.actions == ["train", "train"])
        #expect(rule.when.holds([loss: 11]) == true && rule.when.holds([loss: .nan]) == true)
        #expect(rule.when.holds([loss: 1]) == false && rule.when.holds([:]) == nil)
        #expect(rule.when.shown([loss: .infinity], isNegated: false) == "train.loss inf > 10")
        // The one that has it, where both have the name.
        #expect(try rules("{when: \"power.speed > 1\"}").first?.when.fields == [.init(.action("power"), "speed")])
        #expect(try rules("{when: \"heat.gpu > 1\"}").first?.when.fields == [.init(.collector("heat"), "gpu")])
    }

    @Test func whatNoRuleCanKnowIsRefused() {
        #expect(
            problems("{when: \"train.best > 1\", do: cancel}") == [
                "5:13: 'when': metric 'best' of action 'train' is taken from a file, which is read when the action has "
                    + "ended; a rule needs one with 'from: stdout' or 'from: stderr'"
            ])
        #expect(
            problems("{when: \"train.los > 1\"}") == [
                "5:13: 'when': action 'train' has no metric 'los'; did you mean 'loss'?"
            ])
        #expect(
            problems("{when: \"bare.los > 1\"}") == [
                "5:13: 'when': action 'bare' has no metric 'los'; write it below its 'metrics'"
            ])
        #expect(
            problems("{when: \"power.total > 1\"}") == [
                "5:13: 'when': 'power.total' is a field of collector 'power' and a metric of action 'power'; give one of them "
                    + "another name"
            ])
        #expect(
            problems("{when: \"train.loss > 1\", do: hold}").map {
                $0.hasPrefix("5:34: 'hold' cannot look at a metric of action 'train'")
            } == [true])
        #expect(problems("{when: \"train.loss > nan\"}").map { $0.hasSuffix("'nan' is no number") } == [true])
        #expect(problems("{when: \"train.loss > inf\"}").map { $0.hasSuffix("'inf' is no number") } == [true])
    }

    @Test func builtinSamplersAreCheckedAtLoad() {
        func problems(_ text: String) -> [String] {
            do {
                _ = try Profile.parse(
                    Array("name: n\nconnection: {host: h}\nbackground_collectors: {c: {\(text)}}\n".utf8),
                    file: "p.yaml")
                return []
            } catch { return error.all.map(\.message) }
        }
        #expect(problems("builtin: cpu") == [])
        #expect(
            problems("builtin: tegrastats, interval: 100ms, start: manual, while_paused: false, description: d") == [])
        #expect(problems("builtin: cpuu") == ["there is no builtin sampler 'cpuu'; did you mean 'cpu'?"])
        #expect(
            problems("builtin: cpu, command: x, timeout: 5").sorted() == [
                "a 'builtin' sampler takes no 'command'; remove it",
                "a 'builtin' sampler takes no 'timeout'; remove it",
            ])
        #expect(
            problems("builtin: cpu, interval: 0") == ["'interval' must be longer than 0; write a duration, such as 60s"]
        )
    }

    @Test func factsAreTextsWithNames() throws {
        func profile(_ facts: String) throws -> Profile {
            try Profile.parse(
                Array("name: n\nconnection: {host: h}\nactions: {a: {commands: [x]}}\nfacts: \(facts)\n".utf8),
                file: "p")
        }
        let facts = try profile("{identifiers: true, firmware: \"cat /etc/fw_version\"}").facts
        #expect(facts.identifiers && facts.own == [.init(name: "firmware", command: "cat /etc/fw_version")])
        #expect(throws: Diagnostics.self) { try profile("{firmware: }") }
        #expect(throws: Diagnostics.self) { try profile("{\"a b\": x}") }
        #expect(throws: Diagnostics.self) { try profile("{identifiers: maybe}") }
    }
}
