/** What the keys of probe objects begin with. A kill may leave one behind; it holds nothing. */
export const PROBE_PREFIX = '.probe/';
