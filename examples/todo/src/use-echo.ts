/** Shows at once what the user did, until the records tell it, a few milliseconds later, or tell something else. */
import { useState } from 'react';

export function useEcho<Value>(value: Value): readonly [Value, (value: Value) => void] {
  const [told, setTold] = useState(value);
  const [shown, setShown] = useState(value);
  if (told !== value) {
    setTold(value);
    setShown(value);
  }
  return [told === value ? shown : value, setShown];
}
