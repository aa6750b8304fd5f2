/** @module The version that outputs for other tools name. */
export const TOOL_VERSION = '0.1.0';
