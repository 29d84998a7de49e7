import CCrypto

/// The libcrypto that this process has loaded.
package enum CryptoLibrary {
    /// For example `3.0.17`.
    package static var version: String { String(cString: OpenSSL_version(OPENSSL_VERSION_STRING)) }
}
