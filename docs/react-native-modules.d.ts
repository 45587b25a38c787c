/** What the page on browsers uses of packages that only an app for phones has. */

declare module 'react-native-get-random-values' {}

declare module 'expo-sqlite' {
  interface SQLiteDatabase {
    execSync(source: string): void;
    prepareSync(source: string): {
      executeSync(values: (string | number)[]): { getAllSync(): unknown[] };
    };
  }
  export function openDatabaseSync(databaseName: string): SQLiteDatabase;
}

declare module 'react-native' {
  export const AppState: {
    readonly currentState: string;
    addEventListener(type: 'change', handler: (state: string) => void): { remove(): void };
  };
}
