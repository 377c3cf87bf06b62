"""Train, validation and test by coarse cells, so that neighbours never straddle."""

from math import floor

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipeline.draw import draw


class Split(BaseModel):
    """Shares of the splits, drawn for whole cells.

    Attributes:
        train: share of the cells for training.
        validation: share for validation.
        test: share for testing.
        cell: side of a cell in degrees.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: float = Field(default=1.0, ge=0)
    validation: float = Field(default=0.0, ge=0)
    test: float = Field(default=0.0, ge=0)
    cell: float = Field(default=0.05, gt=0, le=10)

    @model_validator(mode="after")
    def _not_empty(self) -> "Split":
        if self.train + self.validation + self.test <= 0:
            raise ValueError("train, validation and test are all 0")
        return self

    def of(self, lon: float, lat: float, seed: int) -> str:
        """The split of a place in degrees (EPSG:4326)."""
        shares = {"train": self.train, "validation": self.validation, "test": self.test}
        drawn = draw(f"{seed}/{floor(lon / self.cell)}/{floor(lat / self.cell)}") * sum(shares.values())
        for name, share in shares.items():
            drawn -= share
            if drawn < 0:
                return name
        return next(name for name, share in reversed(shares.items()) if share)
