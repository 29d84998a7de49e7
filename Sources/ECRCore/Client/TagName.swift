import RunStore

/// What a tag may be called: as runs are, so that a script can take a list of tags apart.
package enum TagName {
    /// Refuses what cannot be a tag.
    package static func check(_ tags: [String]) throws(ECRFailure) {
        for tag in tags where !RunsDirectory.isName(tag) {
            throw ECRFailure(
                .usage,
                "a tag cannot be '\(tag)'; use 1 to 64 letters, digits, '_', '.' or '-', the first a letter or digit")
        }
    }
}
