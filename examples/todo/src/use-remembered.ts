/** State that the browser remembers. */
import { useState } from 'react';

export function useRemembered(key: string, initial: boolean): readonly [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => {
    const known = localStorage.getItem(key);
    return known === null ? initial : known === 'true';
  });
  const remember = (next: boolean) => {
    localStorage.setItem(key, String(next));
    setValue(next);
  };
  return [value, remember];
}
