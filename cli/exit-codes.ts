/**
 * What the process was started with cannot be used, and starting it again does not help: a faulty configuration, or a
 * service that refuses as it is configured (EX_CONFIG of sysexits.h).
 */
export const MISCONFIGURED = 78;

/** Stopped at once by a second signal. */
export const ABORTED = 130;
