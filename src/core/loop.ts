/** What lets others have their turns between the steps of long work. Throws, or rejects, as the work does. */
export interface Loop {
  run<Result>(steps: Iterator<void, Result>): Result | Promise<Result>;
}
