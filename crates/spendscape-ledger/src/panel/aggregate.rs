//! The aggregate function of the plan: money per cell of each group's dense block.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, FixedSizeListArray, Int64Array},
    datatypes::{DataType, Field, FieldRef, Int64Type, UInt32Type},
};
use datafusion::{
    common::{Result, ScalarValue, exec_err, internal_err, plan_err},
    logical_expr::{
        Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
        function::{AccumulatorArgs, StateFieldsArgs},
    },
};

/// `cell_totals(cell UInt32, amount Int64) -> FixedSizeList<Int64>`: the sum of the amounts per cell, for a block of
/// `width` cells per group.
///
/// Grouping by customer alone costs one look-up per row and keeps a customer's totals side by side; grouping by
/// customer, window and class would hash every row into some twenty million groups. Partial and final states are the
/// blocks themselves, so the function also runs as partial and final aggregation over several machines.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CellTotals {
    width: i32,
    expected_groups: usize,
    signature: Signature,
}

impl CellTotals {
    /// Totals of `width` cells, for about `expected_groups` groups per partition (a hint that saves growing the block).
    ///
    /// # Errors
    /// If `width` does not fit a 32-bit list.
    pub fn try_new(width: usize, expected_groups: usize) -> Result<Self> {
        let Ok(width) = i32::try_from(width) else {
            return plan_err!("a block of {width} cells is too wide for a list");
        };
        let signature = Signature::exact(vec![DataType::UInt32, DataType::Int64], Volatility::Immutable);
        Ok(Self { width, expected_groups, signature })
    }

    fn block_type(&self) -> DataType {
        DataType::FixedSizeList(Arc::new(Field::new_list_field(DataType::Int64, false)), self.width)
    }
}

impl AggregateUDFImpl for CellTotals {
    fn name(&self) -> &str {
        "cell_totals"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.block_type())
    }

    fn state_fields(&self, arguments: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[block]", arguments.name), self.block_type(), true))])
    }

    fn accumulator(&self, _arguments: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneBlock { blocks: self.blocks(1) }))
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs<'_>) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _arguments: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(self.blocks(self.expected_groups)))
    }
}

impl CellTotals {
    fn blocks(&self, expected_groups: usize) -> Blocks {
        Blocks { width: self.width as usize, expected_groups, groups: 0, totals: Vec::new() }
    }
}

/// The blocks of all groups in one flat buffer.
#[derive(Debug)]
struct Blocks {
    width: usize,
    expected_groups: usize,
    groups: usize,
    totals: Vec<i64>,
}

impl Blocks {
    fn grow(&mut self, groups: usize) {
        self.groups = groups;
        let needed = groups * self.width;
        if self.totals.is_empty() {
            // Zeroed memory comes from the system page by page as it is touched; filling it would touch all of it.
            self.totals = vec![0; needed.max(self.expected_groups * self.width)];
        } else if self.totals.len() < needed {
            self.totals.resize(needed.max(self.totals.len() * 2), 0);
        }
    }

    fn emit(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let (groups, totals) = match emit_to {
            EmitTo::All => {
                let mut totals = std::mem::take(&mut self.totals);
                totals.truncate(self.groups * self.width);
                (std::mem::take(&mut self.groups), totals)
            }
            EmitTo::First(groups) => {
                self.groups -= groups;
                (groups, self.totals.drain(..groups * self.width).collect())
            }
        };
        let field = Arc::new(Field::new_list_field(DataType::Int64, false));
        let values = Arc::new(Int64Array::from(totals));
        let list = FixedSizeListArray::try_new_with_length(field, self.width as i32, values, None, groups)?;
        Ok(Arc::new(list))
    }
}

fn two(values: &[ArrayRef]) -> Result<(&[u32], &[i64])> {
    let [cells, amounts] = values else { return internal_err!("cell_totals takes a cell and an amount") };
    let (cells, amounts) = (cells.as_primitive::<UInt32Type>(), amounts.as_primitive::<Int64Type>());
    if cells.null_count() + amounts.null_count() > 0 {
        return exec_err!("cell_totals does not take nulls: filter them out");
    }
    Ok((cells.values(), amounts.values()))
}

impl GroupsAccumulator for Blocks {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let (cells, amounts) = two(values)?;
        let width = self.width;
        if cells.iter().any(|cell| *cell as usize >= width) {
            return exec_err!("a cell lies beyond the block of {width}");
        }
        for (row, ((group, cell), amount)) in group_indices.iter().zip(cells).zip(amounts).enumerate() {
            if opt_filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row)) {
                let total = &mut self.totals[group * width + *cell as usize];
                *total = total.wrapping_add(*amount);
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.emit(emit_to)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.emit(emit_to)?])
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        let [blocks] = values else { return internal_err!("cell_totals has one state") };
        let blocks = blocks.as_fixed_size_list();
        for (row, group) in group_indices.iter().enumerate() {
            if blocks.is_valid(row) {
                // `value` accounts for the offset of a sliced list; its `values` would be those of the whole list.
                let block = blocks.value(row);
                let into = &mut self.totals[group * self.width..(group + 1) * self.width];
                for (total, amount) in into.iter_mut().zip(block.as_primitive::<Int64Type>().values()) {
                    *total = total.wrapping_add(*amount);
                }
            }
        }
        Ok(())
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, Array::len);
        let mut own = Self { width: self.width, expected_groups: rows, groups: 0, totals: Vec::new() };
        let each: Vec<usize> = (0..rows).collect();
        own.update_batch(values, &each, opt_filter, rows)?;
        own.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.totals.capacity() * size_of::<i64>()
    }
}

/// The same for a single group, as the trait asks for; the plan uses the grouped form.
#[derive(Debug)]
struct OneBlock {
    blocks: Blocks,
}

impl Accumulator for OneBlock {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, Array::len);
        self.blocks.update_batch(values, &vec![0; rows], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.blocks.grow(1);
        let list = FixedSizeListArray::try_new(
            Arc::new(Field::new_list_field(DataType::Int64, false)),
            self.blocks.width as i32,
            Arc::new(Int64Array::from(self.blocks.totals[..self.blocks.width].to_vec())),
            None,
        )?;
        Ok(ScalarValue::FixedSizeList(Arc::new(list)))
    }

    fn size(&self) -> usize {
        self.blocks.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let rows = states.first().map_or(0, Array::len);
        self.blocks.merge_batch(states, &vec![0; rows], 1)
    }
}
