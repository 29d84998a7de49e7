import ZIP

/// What datasets are written with.
package enum DatasetLibrary {
    /// The version of libzip.
    package static var version: String { ZIPLibrary.version }
}
