"""
A record, made of what somebody wants.
"""

from endcap.domain import CustomizationId, Definition, Micros, Record


def record_of(
    id: CustomizationId,
    definition: Definition,
    revision: int,
    *,
    creator: str,
    created_at: Micros,
    updated_at: Micros,
    disabled: bool = False,
) -> Record:
    """`disabled` counts where the definition leaves it open."""
    return Record(
        id=id,
        model=definition.model,
        target_type=definition.target_type,
        target_identity=definition.target_identity,
        tags=definition.tags,
        document=definition.document,
        metadata=definition.metadata,
        creator=creator,
        created_at=created_at,
        updated_at=updated_at,
        revision=revision,
        disabled=disabled if definition.disabled is None else definition.disabled,
    )
