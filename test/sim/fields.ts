// The topics of the simulation, and filters that meet some of them.

export const TOPICS = ['plant/a', 'plant/b', 'plant/b/c', 'other'];
export const FILTERS = ['plant/#', 'plant/+', '#', 'plant/a', 'other'];
export const MORE_FILTERS = ['+/b', 'plant/b/#', '+/+/c'];
