// ECRCore
