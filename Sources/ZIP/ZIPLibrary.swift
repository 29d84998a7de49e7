import CLibZip

/// The libzip that this process has loaded.
package enum ZIPLibrary {
    package static var version: String { String(cString: zip_libzip_version()) }
}
