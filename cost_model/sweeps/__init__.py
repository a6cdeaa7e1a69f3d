"""Design spaces and what their points cost: enumerated, searched, measured side by side, kept."""
