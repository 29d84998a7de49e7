/// Why a dataset could not be written.
package struct DatasetError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable {
        /// The destination could not be written.
        case storage
        /// A file of the run could not be read.
        case source
    }
    package let code: Code
    package let message: String
    package var description: String { message }
}
