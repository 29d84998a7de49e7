/// The keywords of ssh_config(5) that are carried out, in lower case.
enum ConfigKeyword: String {
    case host
    case match
    case include
    case hostName = "hostname"
    case port
    case user
    case identityFile = "identityfile"
    case identitiesOnly = "identitiesonly"
    case certificateFile = "certificatefile"
    case identityAgent = "identityagent"
    case proxyJump = "proxyjump"
    case proxyCommand = "proxycommand"
    case userKnownHostsFile = "userknownhostsfile"
    case globalKnownHostsFile = "globalknownhostsfile"
    case hostKeyAlias = "hostkeyalias"
    case serverAliveInterval = "serveraliveinterval"
    case connectTimeout = "connecttimeout"
    case kexAlgorithms = "kexalgorithms"
    case ciphers
    case macs
    case hostKeyAlgorithms = "hostkeyalgorithms"
    case publicKeyAlgorithms = "pubkeyacceptedalgorithms"
    case ignoreUnknown = "ignoreunknown"

    init?(_ keyword: String) {
        switch keyword {
        case "pubkeyacceptedkeytypes": self = .publicKeyAlgorithms  // its name before OpenSSH 8.5
        case "identityfile2": self = .identityFile
        default: self.init(rawValue: keyword)
        }
    }

    /// The kind of algorithm that a keyword lists.
    var algorithms: AlgorithmKind? {
        switch self {
        case .kexAlgorithms: .kex
        case .ciphers: .ciphers
        case .macs: .macs
        case .hostKeyAlgorithms: .hostKeys
        case .publicKeyAlgorithms: .publicKeys
        default: nil
        }
    }

    /// Keywords without which a connection is the same to ecr, which has no terminal, forwards nothing, shares no
    /// connections with ssh(1), and has its own order of logins.
    static let harmless: Set<String> = [
        "addkeystoagent", "batchmode", "casignaturealgorithms", "checkhostip", "clearallforwardings", "compression",
        "compressionlevel", "connectionattempts", "controlmaster", "controlpath", "controlpersist", "dynamicforward",
        "enableescapecommandline", "enablesshkeysign", "escapechar", "exitonforwardfailure", "fingerprinthash",
        "forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout", "forwardx11trusted",
        "gatewayports", "gssapiauthentication", "gssapidelegatecredentials", "hashknownhosts",
        "hostbasedacceptedalgorithms", "hostbasedauthentication", "hostbasedkeytypes", "ipqos", "localcommand",
        "localforward", "loglevel", "logverbose", "numberofpasswordprompts", "obscurekeystroketiming",
        "permitlocalcommand", "permitremoteopen", "protocol", "rekeylimit", "remotecommand", "remoteforward",
        "requesttty", "sendenv", "serveralivecountmax", "sessiontype", "setenv", "stdinnull", "streamlocalbindmask",
        "streamlocalbindunlink", "syslogfacility", "tag", "tcpkeepalive", "tunnel", "tunneldevice",
        "updatehostkeys", "useroaming", "verifyhostkeydns", "visualhostkey", "xauthlocation",
    ]
}
