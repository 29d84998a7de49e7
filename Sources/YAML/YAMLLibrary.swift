import CLibYAML

/// The libyaml that this process has loaded.
package enum YAMLLibrary {
    package static var version: String { String(cString: yaml_get_version_string()) }
}
