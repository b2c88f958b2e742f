/** Group and version of every kind: the resource's, and those of the roles' configuration. */
export const API_VERSION = 'mini-platform.io/v1alpha1';
