// The program as a module: for the entry in bin/ and for tests.
export { main } from './main.ts';
